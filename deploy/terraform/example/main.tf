# Secrets come from the environment: export TF_VAR_client_secret=… and TF_VAR_skipcall_api_key=…
terraform {
  required_version = ">= 1.5"

  required_providers {
    airbyte = {
      source  = "airbytehq/airbyte"
      version = "~> 1.3"
    }
  }
}

variable "airbyte_url" {
  description = "The address of Airbyte in the browser."
  type        = string
  default     = "http://localhost:8000"
}

variable "client_id" {
  description = "Of an application: `abctl local credentials`, or User settings > Applications."
  type        = string
}

variable "client_secret" {
  description = "Of the same application."
  type        = string
  sensitive   = true
}

variable "workspace_id" {
  description = "The workspace; its id stands in the address of every page, behind /workspaces/."
  type        = string
}

variable "destination_id" {
  description = "A destination of the workspace; its id stands in the address of its page."
  type        = string
}

variable "skipcall_api_key" {
  description = "Skipcall's dashboard, Settings > API Keys."
  type        = string
  sensitive   = true
}

provider "airbyte" {
  server_url    = "${var.airbyte_url}/api/public/v1/"
  token_url     = "${var.airbyte_url}/api/public/v1/applications/token"
  client_id     = var.client_id
  client_secret = var.client_secret
}

module "calls" {
  source = "../"

  workspace_id   = var.workspace_id
  destination_id = var.destination_id
  repository     = "ghcr.io/you"

  configurations = {
    skipcall = {
      api_key    = var.skipcall_api_key
      start_date = "2026-01-31T00:00:00Z"
    }
  }
}

output "namespaces" {
  description = "Where the tables stand."
  value       = module.calls.namespaces
}
