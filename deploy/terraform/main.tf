resource "airbyte_source_definition" "calls" {
  for_each = local.connectors

  workspace_id      = var.workspace_id
  name              = each.value.name
  docker_repository = "${var.repository}/source-${each.key}-calls"
  docker_image_tag  = coalesce(var.tag, each.value.dockerImageTag)
  documentation_url = each.value.documentationUrl

  lifecycle {
    # Another page would replace the definition, and with it all its sources, connections and states.
    ignore_changes = [documentation_url]
  }
}

resource "airbyte_source" "calls" {
  for_each = local.accounts

  workspace_id  = var.workspace_id
  name          = local.names[each.key]
  definition_id = airbyte_source_definition.calls[local.providers[each.key]].id
  configuration = jsonencode(var.configurations[each.key])

  resource_allocation = {
    default = var.resources
  }
}

resource "airbyte_connection" "calls" {
  for_each = local.accounts

  name           = local.names[each.key]
  source_id      = airbyte_source.calls[each.key].source_id
  destination_id = var.destination_id
  status         = "active"

  namespace_definition                 = "custom_format"
  namespace_format                     = local.namespaces[each.key]
  non_breaking_schema_updates_behavior = "propagate_columns"

  # Cursor and primary key are the source's own.
  configurations = {
    streams = [
      {
        name      = "calls"
        sync_mode = "incremental_deduped_history"
      },
    ]
  }

  schedule = {
    schedule_type   = "cron"
    cron_expression = local.cron_expression
  }

  lifecycle {
    # Whoever pauses a connection in Airbyte finds it paused after the next apply.
    ignore_changes = [status]

    precondition {
      condition     = var.destination_id != null
      error_message = "Set destination_id: where the connections write."
    }
  }
}
