#!/bin/sh
# Makes passwords by chance, and the files in which compose.yaml hands them out: in secrets/ beside
# compose.yaml, or in the folder named as the argument. Files that are there already stay.
set -eu
folder=${1:-$(dirname "$0")/../secrets}
(umask 077 && mkdir -p "$folder")
cd "$folder"

random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

# Writes standard input to the file, at once or not at all.
keep() {
  if [ -e "$1" ]; then
    cat >/dev/null
  else
    cat >"$1.new"
    chmod 444 "$1.new"
    mv "$1.new" "$1"
  fi
}

for name in postgres migrations consumer broker_consumer broker_operator; do
  random | keep "${name}_password"
done

database() { printf 'postgresql+asyncpg://pointsman_%s:%s@postgres/pointsman' "$1" "$(cat "$1_password")"; }
database migrations | keep migrations_database_url
database consumer | keep consumer_database_url

broker() { printf 'amqp://pointsman-%s:%s@rabbitmq/pointsman' "$1" "$(cat "broker_$1_password")"; }
broker consumer | keep consumer_amqp_url
broker operator | keep operator_amqp_url

# The broker's virtual host, and users of it with the permissions of docs/permissions.md.
sed -e "s/CONSUMER_PASSWORD/$(cat broker_consumer_password)/" \
  -e "s/OPERATOR_PASSWORD/$(cat broker_operator_password)/" <<'JSON' | keep rabbitmq_definitions.json
{
  "vhosts": [{"name": "pointsman"}],
  "users": [
    {"name": "pointsman-consumer", "password": "CONSUMER_PASSWORD", "tags": []},
    {"name": "pointsman-operator", "password": "OPERATOR_PASSWORD", "tags": []}
  ],
  "permissions": [
    {
      "vhost": "pointsman",
      "user": "pointsman-consumer",
      "configure": "^pointsman\\.(requests|unrouted|decisions|dead-letters|delay)(\\.\\w+)?$",
      "write": "^(amq\\.default|pointsman\\.(requests|unrouted|decisions|dead-letters|delay)(\\.\\w+)?)$",
      "read": "^pointsman\\.(requests|unrouted|decisions|dead-letters|delay)(\\.\\w+)?$"
    },
    {
      "vhost": "pointsman",
      "user": "pointsman-operator",
      "configure": "^amq\\.gen-.+$",
      "write": "^pointsman\\.requests$",
      "read": "^amq\\.gen-.+$"
    }
  ]
}
JSON
