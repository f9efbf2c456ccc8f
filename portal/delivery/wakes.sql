-- Wakes: installed by `portal migrate` when PREVISIT_ENGINE is procrastinate (see wakes.py), with the search path set to
-- procrastinate's schema, ours and pg_temp. The functions run as whoever installed them: pages and commands that write the
-- outbox need no right on the engine, and nothing that goes wrong with a wake may undo an acceptance or a receipt.

CREATE OR REPLACE FUNCTION procrastinate.previsit_wake(item text, due timestamptz) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path FROM CURRENT AS $$
    INSERT INTO procrastinate_jobs (queue_name, task_name, queueing_lock, args, scheduled_at)
    VALUES ('delivery', 'deliver', item, jsonb_build_object('item_id', item), due)
    ON CONFLICT (queueing_lock) WHERE status = 'todo' DO UPDATE SET scheduled_at = excluded.scheduled_at
    WHERE procrastinate_jobs.scheduled_at > excluded.scheduled_at
$$;

CREATE OR REPLACE FUNCTION procrastinate.previsit_outbox_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE next_in_line text;
BEGIN
    IF NEW.state IN ('waiting', 'not-confirmed') THEN
        IF NEW.leased_until IS NULL THEN
            PERFORM previsit_wake(NEW.id, NEW.next_at);
        END IF;
    ELSIF NEW.state <> 'held' THEN
        SELECT id INTO next_in_line FROM outbox_items
        WHERE patient_id = NEW.patient_id AND state IN ('waiting', 'not-confirmed') ORDER BY position LIMIT 1;
        IF FOUND THEN
            PERFORM previsit_wake(next_in_line, now());
        END IF;
    END IF;
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'previsit_wake: %', SQLERRM;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER previsit_wake AFTER INSERT OR UPDATE OF state, next_at, leased_until ON outbox_items
FOR EACH ROW EXECUTE FUNCTION procrastinate.previsit_outbox_changed();

-- Whoever may work the outbox may run the engine; nobody else sees its schema.
DO $$
DECLARE worker text;
BEGIN
    FOR worker IN SELECT DISTINCT grantee FROM information_schema.role_table_grants
        WHERE table_name = 'outbox_items' AND privilege_type = 'UPDATE' AND grantee NOT IN ('PUBLIC', current_user)
    LOOP
        EXECUTE format('GRANT USAGE ON SCHEMA procrastinate TO %I', worker);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA procrastinate TO %I', worker);
        EXECUTE format('GRANT USAGE ON ALL SEQUENCES IN SCHEMA procrastinate TO %I', worker);
    END LOOP;
END $$;
