#!/bin/sh
# The secrets of docker compose, made once; what is there stays.
set -eu
folder="$(dirname "$0")/secrets"
mkdir -p "$folder"
if [ ! -s "$folder/postgres_password" ]; then
  umask 077
  od -An -N24 -tx1 /dev/urandom | tr -d ' \n' > "$folder/postgres_password"
fi
if [ ! -s "$folder/database_url" ]; then
  umask 077
  printf 'postgresql://centralino:%s@postgres/centralino' "$(cat "$folder/postgres_password")" > "$folder/database_url"
fi
# Compose mounts them as they are, and the processes in the images are other users.
chmod 644 "$folder/postgres_password" "$folder/database_url"
chmod 700 "$folder"
