# The folders of the connectors are the list of them, as everywhere in this repository.
locals {
  root = "${path.module}/../.."

  connectors = {
    for file in fileset(local.root, "source-*-calls/metadata.yaml") :
    regex("^source-([a-z][a-z0-9]*)-calls/", file)[0] => yamldecode(file("${local.root}/${file}")).data
  }

  # The names of accounts are no secrets; what they stand for is.
  accounts = toset(nonsensitive(keys(var.configurations)))

  providers = { for account in local.accounts : account => split("-", account)[0] }

  labels = { for account in local.accounts : account => join("-", slice(split("-", account), 1, length(split("-", account)))) }

  names = {
    for account in local.accounts : account => join(" ", compact([
      local.connectors[local.providers[account]].name,
      local.labels[account] == "" ? "" : "(${local.labels[account]})",
    ]))
  }

  # Every stream is named calls: two accounts in one namespace would write one table.
  namespaces = { for account in local.accounts : account => replace(account, "-", "_") }

  # The platform gives the expression back with its time zone; without it Terraform would see a change.
  cron_expression = "${trimspace(trimsuffix(trimspace(var.schedule), "UTC"))} UTC"
}
