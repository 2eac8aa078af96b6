#!/usr/bin/env bash
# What the tests start for themselves: PostgreSQL 15 or newer, RabbitMQ, Redis, Mosquitto, NATS; Node.js; on Linux Podman,
# runc (crun, its other runtime, refuses machines with both versions of cgroups), a BusyBox to run in it and libfaketime.
# On Debian and Ubuntu, as root, installs what is missing, without starting any service; elsewhere says what to install.
set -euo pipefail

missing=()
has_postgres() {
  command -v postgres >/dev/null || compgen -G "/usr/lib/postgresql/*/bin/postgres" >/dev/null
}
has_rabbit() {
  command -v rabbitmq-server >/dev/null || [ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] ||
    [ -x /usr/sbin/rabbitmq-server ] || [ -x /opt/homebrew/opt/rabbitmq/sbin/rabbitmq-server ]
}
has_postgres || missing+=(postgresql)
has_rabbit || missing+=(rabbitmq-server)
command -v redis-server >/dev/null || missing+=(redis-server)
command -v mosquitto >/dev/null || [ -x /usr/sbin/mosquitto ] || missing+=(mosquitto)
command -v nats-server >/dev/null || [ -x /usr/sbin/nats-server ] || missing+=(nats-server)
command -v node >/dev/null || missing+=(nodejs)
if [ "$(uname)" = Linux ]; then
  command -v podman >/dev/null || missing+=(podman)
  command -v runc >/dev/null || [ -x /usr/sbin/runc ] || missing+=(runc)
  [ -x /bin/busybox ] || missing+=(busybox-static)
  compgen -G "/usr/lib/*/faketime/libfaketime.so.1" >/dev/null || missing+=(libfaketime)
fi

if [ "${#missing[@]}" -eq 0 ]; then
  exit 0
fi
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo "The tests need these programs, installed but not running: ${missing[*]} (names of Debian's packages)." >&2
  echo "Install them, or run this as root on Debian or Ubuntu." >&2
  exit 1
fi

# Debian starts a service when its package is installed, unless this file says that it must not.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  trap 'rm -f "$policy"' EXIT
fi
echo "Installing ${missing[*]} …"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
