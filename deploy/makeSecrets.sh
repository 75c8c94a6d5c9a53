#!/bin/sh
# Makes what the compose profile `replicas` is to keep secret, in .twostep/ of the folder that it is called in: the
# password of PostgreSQL, and the address with it that both servers read. What is there already stays as it is.
#
# The folder is its owner's alone. In it the address can be read by all, because the servers run as another user, 1000.
set -eu
command -v openssl > /dev/null || { echo "makeSecrets.sh: openssl is not installed" >&2; exit 1; }
umask 077
mkdir -p .twostep
chmod 700 .twostep
cd .twostep
[ -s postgres-password ] || openssl rand -hex 24 > postgres-password
if [ ! -s replicas.json ]; then
  # A password of the person's own may hold what an address cannot as it is.
  case $(cat postgres-password) in
    *[!A-Za-z0-9._~-]*) echo "makeSecrets.sh: .twostep/postgres-password must have letters, digits, '.', '_', '~' and '-' alone" >&2; exit 1 ;;
  esac
  printf '{ "storageUrl": "postgresql://twostep:%s@postgres:5432/twostep" }\n' "$(cat postgres-password)" > replicas.json.new
  chmod 644 replicas.json.new
  mv replicas.json.new replicas.json
fi
echo "Secrets are in $(pwd): postgres-password, replicas.json"
