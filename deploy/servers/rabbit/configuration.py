"""What a broker of one's own is configured with, wherever it runs."""

ENABLED_PLUGINS = "[rabbitmq_management].\n"

# The collector of statistics stays off: the API is only used for what it changes, and
# measurements are not to pay for it.
SETTINGS = """\
loopback_users = none
disk_free_limit.absolute = 64MB
log.file = false
log.console = true
log.console.level = info
management_agent.disable_metrics_collector = true
"""
