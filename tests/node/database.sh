#!/bin/sh
# PostgreSQL with an empty database `orders`, whose user `shop` has the password in /password/password; its data lies in
# /data, which goes with the pod.
set -eu
initdb --no-sync --no-locale --encoding=UTF8 --username=shop --auth=scram-sha-256 --pwfile=/password/password \
  --pgdata=/data/db >/dev/null
echo "host all all all scram-sha-256" >>/data/db/pg_hba.conf
echo "CREATE DATABASE orders" | postgres --single -D /data/db postgres >/dev/null
# Listening only now: who gets through finds the database.
exec postgres -D /data/db -c listen_addresses='*' -c unix_socket_directories=/data -c fsync=off -c jit=off
