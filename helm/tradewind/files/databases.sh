#!/bin/sh
# Makes a role and a database for each service that has none. Runs whenever the database server's container has started.
set -eu
cd /etc/tradewind/passwords
# While its data directory is made, the server listens on no address.
until pg_isready --quiet --host 127.0.0.1; do sleep 0.2; done
for service in *; do
    SERVICE=$service PASSWORD=$(cat "$service") psql --host 127.0.0.1 --username postgres --quiet --set ON_ERROR_STOP=1 <<'SQL'
\getenv service SERVICE
\getenv password PASSWORD
SELECT format('CREATE ROLE %I LOGIN', :'service') WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'service') \gexec
SELECT format('ALTER ROLE %I PASSWORD %L', :'service', :'password') \gexec
SELECT format('CREATE DATABASE %I OWNER %I', :'service', :'service')
    WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'service') \gexec
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', :'service') \gexec
SQL
done
