output "definition_ids" {
  description = "The source definitions, by provider."
  value       = { for provider, definition in airbyte_source_definition.calls : provider => definition.id }
}

output "source_ids" {
  description = "The sources, by account."
  value       = { for account, source in airbyte_source.calls : account => source.source_id }
}

output "connection_ids" {
  description = "The connections, by account."
  value       = { for account, connection in airbyte_connection.calls : account => connection.connection_id }
}

output "namespaces" {
  description = "Where each account's table `calls` stands in the destination."
  value       = local.namespaces
}
