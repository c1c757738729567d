"""`make register`: the connectors on an Airbyte platform, as definitions, sources and connections.

settings       what the user asks, from environment variables
accounts       the configurations in the user's folder, a file for each account
definitions    what of a connector's folder is registered
plan           what is to be done, by comparison with what the platform has; pure
platform       the platform's calls, by name
answers        what the platform's answers have to look like
client         one request: token, waits, a sentence for each failure
transport      HTTP: one request and its whole answer, in a bounded time
schedule       Quartz cron expressions, checked
register       the order of it all
remove         the way back
"""
