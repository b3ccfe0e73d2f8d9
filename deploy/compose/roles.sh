#!/bin/sh
# Runs roles.sql as the superuser of the server named postgres.
set -eu
PGPASSWORD=$(cat /run/secrets/postgres_password)
export PGPASSWORD
exec psql --no-psqlrc --quiet --host=postgres --username=postgres --file=/pointsman/roles.sql
