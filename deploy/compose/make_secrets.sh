#!/bin/sh
# The secrets of docker compose, made once; what is there stays.
set -eu
folder="$(dirname "$0")/secrets"
mkdir -p "$folder"
umask 077
for name in postgres_password grafana_password; do
  if [ ! -s "$folder/$name" ]; then
    od -An -N24 -tx1 /dev/urandom | tr -d ' \n' > "$folder/$name"
  fi
done
if [ ! -s "$folder/database_url" ]; then
  printf 'postgresql://centralino:%s@postgres/centralino' "$(cat "$folder/postgres_password")" > "$folder/database_url"
fi
# Compose mounts them as they are, and the processes in the images are other users.
chmod 644 "$folder"/*
chmod 700 "$folder"
