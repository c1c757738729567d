variable "workspace_id" {
  description = "The workspace; its id stands in the address of every page of Airbyte, behind /workspaces/."
  type        = string
}

variable "repository" {
  description = "The first part of the images' names, with the registry's host: ghcr.io/you. Another one replaces the definitions, and with them all sources, connections and their states."
  type        = string
  default     = "localhost/airbyte-calls"

  validation {
    condition     = can(regex("^(localhost|[a-z0-9-]*[.:][a-z0-9.:-]*)(/[a-z0-9._-]+)*$", var.repository))
    error_message = "Begin with the registry's host, such as ghcr.io/you; the platform puts its own registry before other names."
  }
}

variable "tag" {
  description = "The tag of the images; null: the version of this checkout."
  type        = string
  default     = null
}

variable "configurations" {
  description = "The connectors' configurations by account: the provider's name, or <provider>-<label> for a further account. Each becomes a source and a connection with a namespace of its own."
  type        = any
  default     = {}
  sensitive   = true

  validation {
    condition     = alltrue([for account in keys(var.configurations) : can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+([-_][a-z0-9]+)*)?$", account))])
    error_message = "The keys are <provider> or <provider>-<label>, such as intercom or intercom-europe."
  }
}

variable "destination_id" {
  description = "The destination of all connections; its id stands in the address of its page, behind /destination/."
  type        = string
  default     = null
}

variable "schedule" {
  description = "When to sync: a Quartz cron expression, in UTC. The seconds come first; once a minute is the most."
  type        = string
  default     = "0 0 */6 * * ?"
}

variable "resources" {
  description = "What each pod of a source may have; see docs/scale.md."
  type        = map(string)
  default = {
    cpu_request    = "250m"
    cpu_limit      = "1"
    memory_request = "256Mi"
    memory_limit   = "1Gi"
  }
}
