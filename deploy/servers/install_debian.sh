#!/bin/sh
# Installs Debian packages of servers without letting a service start, neither now nor at boot,
# and without making a PostgreSQL cluster. Needs root. What it changes to that end it puts back.
set -eu

policy=/usr/sbin/policy-rc.d
clusters=/etc/postgresql-common/createcluster.d
units="rabbitmq-server.service postgresql.service epmd.service epmd.socket"
new_units=
aside=

deny_services() {
  if [ -e "$policy" ]; then
    aside=$policy.pointsman-aside
    mv "$policy" "$aside"
  fi
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
}

put_back() {
  rm -f "$policy" "$clusters/pointsman.conf"
  [ -z "$aside" ] || mv "$aside" "$policy"
}

trap put_back EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

for unit in $units; do
  [ -e "/lib/systemd/system/$unit" ] || new_units="$new_units $unit"
done
deny_services
mkdir -p "$clusters"
echo 'create_main_cluster = false' >"$clusters/pointsman.conf"

export DEBIAN_FRONTEND=noninteractive
apt-get -qq -o DPkg::Lock::Timeout=120 update ||
  echo 'The lists of packages could not be renewed; trying with those at hand.'
apt-get -qq -o DPkg::Lock::Timeout=120 install -y --no-install-recommends "$@"

for unit in $new_units; do
  [ -e "/lib/systemd/system/$unit" ] || continue
  if command -v systemctl >/dev/null; then
    systemctl --quiet disable "$unit"
  else
    rm -f /etc/systemd/system/*.wants/"$unit"
  fi
  service=${unit%.service}
  [ ! -e "/etc/init.d/$service" ] || update-rc.d "$service" disable
done
