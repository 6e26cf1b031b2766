-- Least privilege on Postgres: four roles without a login, one for each kind of work.
--
--   ultrathiio_owner     owns the tables; `ultrathiio migrate` runs as a member of it, nothing else does
--   ultrathiio_receiver  `ultrathiio receiver`: stores deliveries, counts repeated ones, shows its pages
--   ultrathiio_worker    the flows and the other commands: reads and writes rows, changes no table
--   ultrathiio_reader    BI and the curious: ids, states, amounts and dates; no person, no body, no free text
--
-- Run it as a superuser in our database, after the first `ultrathiio migrate` and again after each later one:
--
--   psql -1 -v ON_ERROR_STOP=1 -f deployments/roles.sql <database>
--   CREATE ROLE hooks LOGIN PASSWORD '…' IN ROLE ultrathiio_receiver;   -- once for each login
--
-- It may be repeated: what it grants is first taken away.

DO $roles$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['owner', 'receiver', 'worker', 'reader'] LOOP
        name := 'ultrathiio_' || name;
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', name);
        END IF;
        EXECUTE format('GRANT USAGE ON SCHEMA public TO %I', name);
        -- An owner's rights are its own; foreign keys are checked under them.
        CONTINUE WHEN name = 'ultrathiio_owner';
        EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA public FROM %I', name);
        EXECUTE format('REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM %I', name);
    END LOOP;
END
$roles$;

-- Before Postgres 15 anybody might make tables here.
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT CREATE ON SCHEMA public TO ultrathiio_owner;

DO $tables$
DECLARE
    name text;
BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
        EXECUTE format('ALTER TABLE %I OWNER TO ultrathiio_owner', name);
        -- Everybody asks whether the tables are up to date; only the owner may say so.
        CONTINUE WHEN name = 'alembic_version';
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO ultrathiio_worker', name);
        -- Reconciling refreshes statistics after bulk loads. Before Postgres 17 only the owner may: it warns then,
        -- and the database's own analysis comes by later.
        IF current_setting('server_version_num')::integer >= 170000 THEN
            EXECUTE format('GRANT MAINTAIN ON %I TO ultrathiio_worker', name);
        END IF;
    END LOOP;
END
$tables$;

GRANT SELECT ON alembic_version TO ultrathiio_receiver, ultrathiio_worker, ultrathiio_reader;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO ultrathiio_worker;

-- The receiver. Without its pages (/notifications) it needs no SELECT on payloads and notifications.
GRANT SELECT, INSERT ON inbox_events, inbox_payloads, notifications TO ultrathiio_receiver;
GRANT UPDATE (deliveries, last_received_at) ON inbox_events TO ultrathiio_receiver;
GRANT USAGE ON SEQUENCE inbox_events_id_seq, notifications_id_seq TO ultrathiio_receiver;

-- The reader: every column but those that say who a person is, that hold a text, or that a lease is held by.
DO $reader$
DECLARE
    found record;
BEGIN
    FOR found IN
        SELECT table_name, string_agg(quote_ident(column_name), ', ') AS readable
        FROM information_schema.columns
        WHERE table_schema = 'public'
          AND table_name NOT IN ('inbox_payloads', 'leases', 'call_budgets')
          AND column_name NOT IN (
              'email', 'email_key', 'first_name', 'last_name', 'phone', 'line1', 'line2', 'city', 'postal_code',
              'digest', 'parts', 'tracking_numbers', 'description',
              'body', 'sent', 'received', 'fingerprint', 'reason', 'remedy', 'cause', 'repair',
              'ultracart_value', 'thiio_value', 'lease_owner', 'lease_token'
          )
        GROUP BY table_name
    LOOP
        EXECUTE format('GRANT SELECT (%s) ON %I TO ultrathiio_reader', found.readable, found.table_name);
    END LOOP;
END
$reader$;
