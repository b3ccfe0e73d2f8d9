-- The users and rights of docs/permissions.md, for psql as a superuser. A second run sets the
-- passwords anew, and takes from the consumer what the first migration gave it too much.
\set ON_ERROR_STOP on

SELECT NOT EXISTS (SELECT FROM pg_database WHERE datname = 'pointsman') AS missing \gset
\if :missing
CREATE ROLE pointsman_migrations LOGIN;
CREATE ROLE pointsman_consumer LOGIN;
CREATE ROLE pointsman_reports LOGIN;
ALTER ROLE pointsman_reports SET default_transaction_read_only = on;
CREATE DATABASE pointsman;
\endif

\connect pointsman
SELECT NOT has_schema_privilege('pointsman_migrations', 'public', 'CREATE') AS missing \gset
\if :missing
BEGIN;
REVOKE ALL ON DATABASE pointsman FROM PUBLIC;
GRANT CONNECT ON DATABASE pointsman
  TO pointsman_migrations, pointsman_consumer, pointsman_reports;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO pointsman_migrations;
GRANT USAGE ON SCHEMA public TO pointsman_consumer, pointsman_reports;
ALTER DEFAULT PRIVILEGES FOR ROLE pointsman_migrations IN SCHEMA public
  GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO pointsman_consumer;
ALTER DEFAULT PRIVILEGES FOR ROLE pointsman_migrations IN SCHEMA public
  GRANT USAGE ON SEQUENCES TO pointsman_consumer;
ALTER DEFAULT PRIVILEGES FOR ROLE pointsman_migrations IN SCHEMA public
  GRANT SELECT ON TABLES TO pointsman_reports;
COMMIT;
\endif

SELECT to_regclass('public.alembic_version') IS NOT NULL AS migrated \gset
\if :migrated
REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM pointsman_consumer;
\endif

\set migrations_password `cat /run/secrets/migrations_password`
\set consumer_password `cat /run/secrets/consumer_password`
ALTER ROLE pointsman_migrations PASSWORD :'migrations_password';
ALTER ROLE pointsman_consumer PASSWORD :'consumer_password';
