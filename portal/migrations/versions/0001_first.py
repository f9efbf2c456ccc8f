"""The first step: the tables of every room, and what keeps the audit trail append-only."""
# ruff: noqa: E501

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

SQLITE = (
    "CREATE TRIGGER audit_events_no_update BEFORE UPDATE ON audit_events BEGIN SELECT RAISE(ABORT, 'the "
    "audit trail is append-only'); END",
    "CREATE TRIGGER audit_events_no_delete BEFORE DELETE ON audit_events BEGIN SELECT RAISE(ABORT, 'the "
    "audit trail is append-only'); END",
    "CREATE TRIGGER consent_versions_no_update BEFORE UPDATE ON consent_versions BEGIN SELECT "
    "RAISE(ABORT, 'a consent version is never changed'); END",
    "CREATE TRIGGER proxy_steps_no_update BEFORE UPDATE ON proxy_steps BEGIN SELECT RAISE(ABORT, 'a step "
    "of a grant is never changed'); END",
)
POSTGRESQL = (
    "CREATE OR REPLACE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE "
    "EXCEPTION 'the audit trail is append-only'; END $$",
    "CREATE TRIGGER audit_events_guard BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_events FOR EACH "
    "STATEMENT EXECUTE FUNCTION audit_is_append_only()",
    "CREATE OR REPLACE FUNCTION consent_version_is_final() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    "RAISE EXCEPTION 'a consent version is never changed'; END $$",
    "CREATE TRIGGER consent_versions_guard BEFORE UPDATE ON consent_versions FOR EACH STATEMENT EXECUTE "
    "FUNCTION consent_version_is_final()",
    "CREATE OR REPLACE FUNCTION proxy_step_is_final() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE "
    "EXCEPTION 'a step of a grant is never changed'; END $$",
    "CREATE TRIGGER proxy_steps_guard BEFORE UPDATE ON proxy_steps FOR EACH STATEMENT EXECUTE FUNCTION "
    "proxy_step_is_final()",
)


def upgrade() -> None:
    op.create_table(
        "attempts",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("who", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempts")),
    )
    op.create_index(op.f("ix_attempts_who_at"), "attempts", ["who", "at"], unique=False)
    op.create_table(
        "audit_events",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("event", sa.String(length=40), nullable=False),
        sa.Column("outcome", sa.String(length=1), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("account_id", sa.String(length=16), nullable=True),
        sa.Column("patient_id", sa.String(length=16), nullable=True),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("purpose", sa.String(length=10), nullable=False),
        sa.Column("request_id", sa.String(length=32), nullable=True),
        sa.Column("detail_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_events")),
        sa.UniqueConstraint("clinic_id", "seq", name=op.f("uq_audit_events_clinic_id_seq")),
    )
    op.create_index(
        op.f("ix_audit_events_account_id_recorded_at"), "audit_events", ["account_id", "recorded_at"], unique=False
    )
    op.create_index(
        op.f("ix_audit_events_clinic_id_event_recorded_at"),
        "audit_events",
        ["clinic_id", "event", "recorded_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_audit_events_clinic_id_recorded_at"), "audit_events", ["clinic_id", "recorded_at"], unique=False
    )
    op.create_index(
        op.f("ix_audit_events_patient_id_recorded_at"), "audit_events", ["patient_id", "recorded_at"], unique=False
    )
    op.create_index(
        "ix_audit_events_refused",
        "audit_events",
        ["clinic_id", "recorded_at"],
        unique=False,
        sqlite_where=sa.text("outcome <> '0'"),
        postgresql_where=sa.text("outcome <> '0'"),
    )
    op.create_table(
        "audit_heads",
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("clinic_id", name=op.f("pk_audit_heads")),
    )
    op.create_table(
        "clinics",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("slug", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("timezone", sa.String(length=60), nullable=False),
        sa.Column("language", sa.String(length=10), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=False),
        sa.Column("key_ring", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clinics")),
        sa.UniqueConstraint("slug", name=op.f("uq_clinics_slug")),
    )
    op.create_table(
        "data_keys",
        sa.Column("owner", sa.String(length=16), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("owner", name=op.f("pk_data_keys")),
    )
    op.create_table(
        "delivery_jobs",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(length=16), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_delivery_jobs")),
    )
    op.create_table(
        "delivery_workers",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_workers")),
    )
    op.create_table(
        "asked_rules",
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_asked_rules_clinic_id")),
        sa.PrimaryKeyConstraint("clinic_id", name=op.f("pk_asked_rules")),
    )
    op.create_table(
        "connections",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("base_url", sa.String(length=500), nullable=False),
        sa.Column("client_id", sa.String(length=200), nullable=False),
        sa.Column("auth_origins", sa.JSON(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("discovery", sa.JSON(), nullable=True),
        sa.Column("discovered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("capabilities", sa.JSON(), nullable=True),
        sa.Column("capabilities_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("identity", sa.JSON(), nullable=True),
        sa.Column("jwks", sa.JSON(), nullable=True),
        sa.Column("jwks_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reached_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failure", sa.String(length=40), nullable=True),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_connections_clinic_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_connections")),
        sa.UniqueConstraint(
            "clinic_id", "base_url", "client_id", name=op.f("uq_connections_clinic_id_base_url_client_id")
        ),
    )
    op.create_table(
        "delivery_endpoints",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column("silences", sa.Integer(), nullable=False),
        sa.Column("pauses", sa.Integer(), nullable=False),
        sa.Column("down_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("open_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("probing_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_delivery_endpoints_clinic_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_endpoints")),
        sa.UniqueConstraint("clinic_id", name=op.f("uq_delivery_endpoints_clinic_id")),
    )
    op.create_table(
        "expansions",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column("canonical", sa.String(length=500), nullable=False),
        sa.Column("codings", sa.LargeBinary(), nullable=True),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=500), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("trouble", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_expansions_clinic_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_expansions")),
        sa.UniqueConstraint("clinic_id", "canonical", name=op.f("uq_expansions_clinic_id_canonical")),
    )
    op.create_table(
        "library_forms",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_library_forms_clinic_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_library_forms")),
        sa.UniqueConstraint("clinic_id", "slug", name=op.f("uq_library_forms_clinic_id_slug")),
        sa.UniqueConstraint("clinic_id", "url", name=op.f("uq_library_forms_clinic_id_url")),
    )
    op.create_table(
        "library_terms",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_library_terms_clinic_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_library_terms")),
        sa.UniqueConstraint("clinic_id", "url", name=op.f("uq_library_terms_clinic_id_url")),
    )
    op.create_table(
        "measured_days",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_measured_days_clinic_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_measured_days")),
        sa.UniqueConstraint("clinic_id", "day", name=op.f("uq_measured_days_clinic_id_day")),
    )
    op.create_table(
        "patients",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column("connection_id", sa.String(length=16), nullable=True),
        sa.Column("fhir_id", sa.String(length=64), nullable=True),
        sa.Column("person_sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_patients_clinic_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patients")),
        sa.UniqueConstraint("connection_id", "fhir_id", name=op.f("uq_patients_connection_id_fhir_id")),
    )
    op.create_index(op.f("ix_patients_clinic_id"), "patients", ["clinic_id"], unique=False)
    op.create_table(
        "proxy_ages",
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column("years", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_proxy_ages_clinic_id")),
        sa.PrimaryKeyConstraint("clinic_id", name=op.f("pk_proxy_ages")),
    )
    op.create_table(
        "access_tokens",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column("connection_id", sa.String(length=16), nullable=False),
        sa.Column("fingerprint", sa.String(length=16), nullable=True),
        sa.Column("scope", sa.Text(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_by", sa.String(length=16), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failure", sa.String(length=60), nullable=True),
        sa.Column("terminal", sa.Boolean(), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=True),
        sa.Column("token_sealed", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_access_tokens_clinic_id")),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name=op.f("fk_access_tokens_connection_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_tokens")),
        sa.UniqueConstraint("connection_id", name=op.f("uq_access_tokens_connection_id")),
    )
    op.create_table(
        "accounts",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("patient_id", sa.String(length=16), nullable=True),
        sa.Column("email_index", sa.String(length=64), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("suspended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("profile_sealed", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "(role = 'patient') = (patient_id IS NOT NULL)", name=op.f("ck_accounts_patients_have_a_patient")
        ),
        sa.CheckConstraint(
            "role IN ('patient', 'proxy', 'front-desk', 'clinician', 'privacy-officer', 'administrator', 'auditor')",
            name=op.f("ck_accounts_role"),
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_accounts_clinic_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name=op.f("fk_accounts_patient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("clinic_id", "email_index", name=op.f("uq_accounts_clinic_id_email_index")),
    )
    op.create_index(op.f("ix_accounts_clinic_id_role"), "accounts", ["clinic_id", "role"], unique=False)
    op.create_index(op.f("ix_accounts_patient_id"), "accounts", ["patient_id"], unique=False)
    op.create_table(
        "connection_states",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column("connection_id", sa.String(length=16), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(length=16), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.CheckConstraint("state IN ('active', 'paused', 'changed')", name=op.f("ck_connection_states_state")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_connection_states_clinic_id")),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name=op.f("fk_connection_states_connection_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_connection_states")),
        sa.UniqueConstraint("connection_id", "number", name=op.f("uq_connection_states_connection_id_number")),
    )
    op.create_table(
        "consent_versions",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column("patient_id", sa.String(length=16), nullable=False),
        sa.Column("visit_id", sa.String(length=16), nullable=True),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("act", sa.String(length=10), nullable=False),
        sa.Column("capacity", sa.String(length=10), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("account_id", sa.String(length=16), nullable=True),
        sa.Column("document_sealed", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("act IN ('given', 'withdrawn')", name=op.f("ck_consent_versions_act")),
        sa.CheckConstraint("capacity IN ('self', 'proxy')", name=op.f("ck_consent_versions_capacity")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_consent_versions_clinic_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name=op.f("fk_consent_versions_patient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_versions")),
        sa.UniqueConstraint("patient_id", "number", name=op.f("uq_consent_versions_patient_id_number")),
    )
    op.create_index(op.f("ix_consent_versions_visit_id"), "consent_versions", ["visit_id"], unique=False)
    op.create_table(
        "conversations",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column("patient_id", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("about", sa.String(length=16), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("document_sealed", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("kind IN ('result', 'entry')", name=op.f("ck_conversations_kind")),
        sa.CheckConstraint("state IN ('open', 'answered', 'closed')", name=op.f("ck_conversations_state")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_conversations_clinic_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name=op.f("fk_conversations_patient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversations")),
    )
    op.create_index(
        op.f("ix_conversations_clinic_id_kind_state_asked_at"),
        "conversations",
        ["clinic_id", "kind", "state", "asked_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_conversations_patient_id_kind_asked_at"),
        "conversations",
        ["patient_id", "kind", "asked_at"],
        unique=False,
    )
    op.create_index(
        "one_an_entry",
        "conversations",
        ["patient_id", "about"],
        unique=True,
        sqlite_where=sa.text("kind = 'entry'"),
        postgresql_where=sa.text("kind = 'entry'"),
    )
    op.create_table(
        "form_versions",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column("form_id", sa.String(length=16), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("version", sa.String(length=100), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("lists", sa.JSON(), nullable=False),
        sa.Column("origin", sa.String(length=12), nullable=False),
        sa.Column("origin_name", sa.String(length=200), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("who_sealed", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("origin IN ('supplied', 'folder', 'file', 'server')", name=op.f("ck_form_versions_origin")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_form_versions_clinic_id")),
        sa.ForeignKeyConstraint(["form_id"], ["library_forms.id"], name=op.f("fk_form_versions_form_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_form_versions")),
        sa.UniqueConstraint("form_id", "number", name=op.f("uq_form_versions_form_id_number")),
        sa.UniqueConstraint("form_id", "version", name=op.f("uq_form_versions_form_id_version")),
    )
    op.create_table(
        "grants",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column("connection_id", sa.String(length=16), nullable=False),
        sa.Column("patient_id", sa.String(length=16), nullable=False),
        sa.Column("fhir_id", sa.String(length=64), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lasts", sa.Boolean(), nullable=False),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("broken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fingerprint", sa.String(length=16), nullable=True),
        sa.Column("scope", sa.Text(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_by", sa.String(length=16), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failure", sa.String(length=60), nullable=True),
        sa.Column("terminal", sa.Boolean(), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=True),
        sa.Column("token_sealed", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_grants_clinic_id")),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name=op.f("fk_grants_connection_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name=op.f("fk_grants_patient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grants")),
        sa.UniqueConstraint("connection_id", "patient_id", name=op.f("uq_grants_connection_id_patient_id")),
    )
    op.create_table(
        "joining_codes",
        sa.Column("patient_id", sa.String(length=16), nullable=False),
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column("code_index", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_joining_codes_clinic_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name=op.f("fk_joining_codes_patient_id")),
        sa.PrimaryKeyConstraint("patient_id", name=op.f("pk_joining_codes")),
    )
    op.create_table(
        "launch_clients",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column("connection_id", sa.String(length=16), nullable=False),
        sa.Column("client_id", sa.String(length=200), nullable=False),
        sa.Column("method", sa.String(length=20), nullable=False),
        sa.Column("for_patients", sa.Boolean(), nullable=False),
        sa.Column("for_staff", sa.Boolean(), nullable=False),
        sa.Column("secret_sealed", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(
            "(method = 'client_secret_basic') = (secret_sealed IS NOT NULL)", name=op.f("ck_launch_clients_secret")
        ),
        sa.CheckConstraint(
            "method IN ('private_key_jwt', 'client_secret_basic', 'none')", name=op.f("ck_launch_clients_method")
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_launch_clients_clinic_id")),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name=op.f("fk_launch_clients_connection_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_launch_clients")),
        sa.UniqueConstraint("connection_id", name=op.f("uq_launch_clients_connection_id")),
    )
    op.create_table(
        "no_reminders",
        sa.Column("patient_id", sa.String(length=16), nullable=False),
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_no_reminders_clinic_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name=op.f("fk_no_reminders_patient_id")),
        sa.PrimaryKeyConstraint("patient_id", name=op.f("pk_no_reminders")),
    )
    op.create_table(
        "outbox_items",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column("patient_id", sa.String(length=16), nullable=False),
        sa.Column("submission_id", sa.String(length=16), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("crashes", sa.Integer(), nullable=False),
        sa.Column("payload_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("basis_sealed", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting', 'not-confirmed', 'confirmed', 'held', 'withheld', 'closed')",
            name=op.f("ck_outbox_items_state"),
        ),
        sa.CheckConstraint("length(sha256) = 64", name=op.f("ck_outbox_items_sha256")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_outbox_items_clinic_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name=op.f("fk_outbox_items_patient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_items")),
        sa.UniqueConstraint("patient_id", "position", name=op.f("uq_outbox_items_patient_id_position")),
        sa.UniqueConstraint("submission_id", "round", name=op.f("uq_outbox_items_submission_id_round")),
    )
    op.create_index(op.f("ix_outbox_items_clinic_id_state"), "outbox_items", ["clinic_id", "state"], unique=False)
    op.create_index(op.f("ix_outbox_items_state_next_at"), "outbox_items", ["state", "next_at"], unique=False)
    op.create_table(
        "readings",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column("patient_id", sa.String(length=16), nullable=False),
        sa.Column("connection_id", sa.String(length=16), nullable=False),
        sa.Column("fhir_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("why", sa.String(length=40), nullable=True),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("failure", sa.String(length=40), nullable=True),
        sa.Column("document_sealed", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('patient', 'medications', 'allergies', 'conditions', 'coverage', 'related', 'appointments', 'labs', 'vitals', 'immunizations', 'procedures', 'family', 'surveys', 'team')",
            name=op.f("ck_readings_kind"),
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_readings_clinic_id")),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name=op.f("fk_readings_connection_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name=op.f("fk_readings_patient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_readings")),
        sa.UniqueConstraint("patient_id", "kind", name=op.f("uq_readings_patient_id_kind")),
    )
    op.create_table(
        "record_alerts",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column("connection_id", sa.String(length=16), nullable=False),
        sa.Column("patient_id", sa.String(length=16), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("what", sa.String(length=40), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_record_alerts_clinic_id")),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name=op.f("fk_record_alerts_connection_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name=op.f("fk_record_alerts_patient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_record_alerts")),
    )
    op.create_index(op.f("ix_record_alerts_clinic_id_at"), "record_alerts", ["clinic_id", "at"], unique=False)
    op.create_table(
        "result_quality",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column("connection_id", sa.String(length=16), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("measured_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("readings", sa.Integer(), nullable=False),
        sa.Column("results", sa.Integer(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_result_quality_clinic_id")),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name=op.f("fk_result_quality_connection_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_result_quality")),
        sa.UniqueConstraint("connection_id", "day", name=op.f("uq_result_quality_connection_id_day")),
    )
    op.create_index(op.f("ix_result_quality_clinic_id_day"), "result_quality", ["clinic_id", "day"], unique=False)
    op.create_table(
        "signing_keys",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column("connection_id", sa.String(length=16), nullable=False),
        sa.Column("kid", sa.String(length=64), nullable=False),
        sa.Column("algorithm", sa.String(length=10), nullable=False),
        sa.Column("public", sa.JSON(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("signs_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("signs_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("private_sealed", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("algorithm IN ('ES384', 'RS384')", name=op.f("ck_signing_keys_algorithm")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_signing_keys_clinic_id")),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name=op.f("fk_signing_keys_connection_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signing_keys")),
        sa.UniqueConstraint("kid", name=op.f("uq_signing_keys_kid")),
    )
    op.create_index(op.f("ix_signing_keys_connection_id"), "signing_keys", ["connection_id"], unique=False)
    op.create_table(
        "tie_decisions",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column("patient_id", sa.String(length=16), nullable=False),
        sa.Column("verdict", sa.String(length=8), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("account_id", sa.String(length=16), nullable=True),
        sa.Column("left", sa.Integer(), nullable=False),
        sa.Column("mends", sa.String(length=16), nullable=True),
        sa.Column("detail_sealed", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("verdict IN ('link', 'none', 'undo', 'mended')", name=op.f("ck_tie_decisions_verdict")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_tie_decisions_clinic_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name=op.f("fk_tie_decisions_patient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tie_decisions")),
    )
    op.create_index(
        op.f("ix_tie_decisions_clinic_id_verdict_at"), "tie_decisions", ["clinic_id", "verdict", "at"], unique=False
    )
    op.create_index(op.f("ix_tie_decisions_patient_id"), "tie_decisions", ["patient_id"], unique=False)
    op.create_table(
        "visits",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column("patient_id", sa.String(length=16), nullable=False),
        sa.Column("connection_id", sa.String(length=16), nullable=True),
        sa.Column("appointment_id", sa.String(length=64), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("detail_sealed", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("state IN ('expected', 'cancelled')", name=op.f("ck_visits_state")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_visits_clinic_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name=op.f("fk_visits_patient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visits")),
        sa.UniqueConstraint("connection_id", "appointment_id", name=op.f("uq_visits_connection_id_appointment_id")),
    )
    op.create_index(op.f("ix_visits_clinic_id_starts_at"), "visits", ["clinic_id", "starts_at"], unique=False)
    op.create_index(op.f("ix_visits_patient_id"), "visits", ["patient_id"], unique=False)
    op.create_table(
        "card_pictures",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column("patient_id", sa.String(length=16), nullable=False),
        sa.Column("visit_id", sa.String(length=16), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("about_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("picture_sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_card_pictures_clinic_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name=op.f("fk_card_pictures_patient_id")),
        sa.ForeignKeyConstraint(["visit_id"], ["visits.id"], name=op.f("fk_card_pictures_visit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card_pictures")),
    )
    op.create_index(
        op.f("ix_card_pictures_patient_id_sent_at"), "card_pictures", ["patient_id", "sent_at"], unique=False
    )
    op.create_index(op.f("ix_card_pictures_visit_id"), "card_pictures", ["visit_id"], unique=False)
    op.create_table(
        "challenges",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column("account_id", sa.String(length=16), nullable=True),
        sa.Column("asked", sa.String(length=100), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_challenges_account_id")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_challenges_clinic_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_challenges")),
    )
    op.create_index(op.f("ix_challenges_expires_at"), "challenges", ["expires_at"], unique=False)
    op.create_table(
        "conversation_steps",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column("patient_id", sa.String(length=16), nullable=False),
        sa.Column("conversation_id", sa.String(length=16), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("act", sa.String(length=10), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("account_id", sa.String(length=16), nullable=True),
        sa.Column("document_sealed", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("act IN ('asked', 'answered', 'closed')", name=op.f("ck_conversation_steps_act")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_conversation_steps_clinic_id")),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.id"], name=op.f("fk_conversation_steps_conversation_id")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name=op.f("fk_conversation_steps_patient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversation_steps")),
        sa.UniqueConstraint("conversation_id", "number", name=op.f("uq_conversation_steps_conversation_id_number")),
    )
    op.create_table(
        "delivery_events",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column("patient_id", sa.String(length=16), nullable=False),
        sa.Column("item_id", sa.String(length=16), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.String(length=30), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(length=16), nullable=True),
        sa.Column("detail_sealed", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('queued', 'sending', 'not-sent', 'busy', 'conflicted', 'in-doubt', 'unchecked', 'absent', 'answered', 'partial', 'confirmed', 'held', 'withheld', 'resent', 'closed')",
            name=op.f("ck_delivery_events_kind"),
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_delivery_events_clinic_id")),
        sa.ForeignKeyConstraint(["item_id"], ["outbox_items.id"], name=op.f("fk_delivery_events_item_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name=op.f("fk_delivery_events_patient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_events")),
        sa.UniqueConstraint("item_id", "seq", name=op.f("uq_delivery_events_item_id_seq")),
    )
    op.create_index(
        op.f("ix_delivery_events_clinic_id_kind_at"), "delivery_events", ["clinic_id", "kind", "at"], unique=False
    )
    op.create_table(
        "delivery_receipts",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column("patient_id", sa.String(length=16), nullable=False),
        sa.Column("item_id", sa.String(length=16), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("entries_sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_delivery_receipts_clinic_id")),
        sa.ForeignKeyConstraint(["item_id"], ["outbox_items.id"], name=op.f("fk_delivery_receipts_item_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name=op.f("fk_delivery_receipts_patient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_receipts")),
        sa.UniqueConstraint("item_id", name=op.f("uq_delivery_receipts_item_id")),
    )
    op.create_table(
        "drafts",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column("visit_id", sa.String(length=16), nullable=False),
        sa.Column("patient_id", sa.String(length=16), nullable=False),
        sa.Column("task", sa.String(length=200), nullable=False),
        sa.Column("form_version_id", sa.String(length=16), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("document_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("response_sealed", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_drafts_clinic_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name=op.f("fk_drafts_patient_id")),
        sa.ForeignKeyConstraint(["visit_id"], ["visits.id"], name=op.f("fk_drafts_visit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drafts")),
        sa.UniqueConstraint("visit_id", "task", name=op.f("uq_drafts_visit_id_task")),
    )
    op.create_table(
        "ehr_users",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column("connection_id", sa.String(length=16), nullable=False),
        sa.Column("account_id", sa.String(length=16), nullable=False),
        sa.Column("user", sa.String(length=150), nullable=False),
        sa.Column("issuer", sa.String(length=500), nullable=True),
        sa.Column("subject", sa.String(length=300), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.String(length=16), nullable=False),
        sa.Column("live", sa.Integer(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.String(length=16), nullable=True),
        sa.CheckConstraint(
            "(live IS NULL) = (ended_at IS NOT NULL) AND (live IS NULL OR live = 1)", name=op.f("ck_ehr_users_live")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_ehr_users_account_id")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_ehr_users_clinic_id")),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name=op.f("fk_ehr_users_connection_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ehr_users")),
        sa.UniqueConstraint(
            "connection_id", "issuer", "subject", "live", name=op.f("uq_ehr_users_connection_id_issuer_subject_live")
        ),
        sa.UniqueConstraint("connection_id", "user", "live", name=op.f("uq_ehr_users_connection_id_user_live")),
    )
    op.create_index(op.f("ix_ehr_users_account_id"), "ehr_users", ["account_id"], unique=False)
    op.create_table(
        "emergencies",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column("account_id", sa.String(length=16), nullable=False),
        sa.Column("patient_id", sa.String(length=16), nullable=False),
        sa.Column("session_id", sa.String(length=16), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("detail_sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_emergencies_account_id")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_emergencies_clinic_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name=op.f("fk_emergencies_patient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_emergencies")),
    )
    op.create_index(op.f("ix_emergencies_clinic_id_began_at"), "emergencies", ["clinic_id", "began_at"], unique=False)
    op.create_index(
        op.f("ix_emergencies_clinic_id_checked_at"), "emergencies", ["clinic_id", "checked_at"], unique=False
    )
    op.create_index(op.f("ix_emergencies_ended_at_until"), "emergencies", ["ended_at", "until"], unique=False)
    op.create_index(op.f("ix_emergencies_session_id"), "emergencies", ["session_id"], unique=False)
    op.create_table(
        "factors",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column("account_id", sa.String(length=16), nullable=False),
        sa.Column("owner_id", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("credential_index", sa.String(length=64), nullable=True),
        sa.Column("held_sealed", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("kind IN ('app', 'passkey')", name=op.f("ck_factors_kind")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_factors_account_id")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_factors_clinic_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_factors")),
        sa.UniqueConstraint("credential_index", name=op.f("uq_factors_credential_index")),
    )
    op.create_index(op.f("ix_factors_account_id"), "factors", ["account_id"], unique=False)
    op.create_table(
        "form_steps",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column("form_id", sa.String(length=16), nullable=False),
        sa.Column("version_id", sa.String(length=16), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("rule", sa.JSON(), nullable=False),
        sa.Column("carry", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("who_sealed", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("state IN ('active', 'inactive')", name=op.f("ck_form_steps_state")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_form_steps_clinic_id")),
        sa.ForeignKeyConstraint(["form_id"], ["library_forms.id"], name=op.f("fk_form_steps_form_id")),
        sa.ForeignKeyConstraint(["version_id"], ["form_versions.id"], name=op.f("fk_form_steps_version_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_form_steps")),
        sa.UniqueConstraint("form_id", "number", name=op.f("uq_form_steps_form_id_number")),
    )
    op.create_index(op.f("ix_form_steps_clinic_id"), "form_steps", ["clinic_id"], unique=False)
    op.create_table(
        "invitations",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column("patient_id", sa.String(length=16), nullable=True),
        sa.Column("account_id", sa.String(length=16), nullable=True),
        sa.Column("code_index", sa.String(length=64), nullable=True),
        sa.Column("factors_too", sa.Boolean(), nullable=False),
        sa.Column("code_sent", sa.Boolean(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "account_id IS NULL OR code_index IS NOT NULL", name=op.f("ck_invitations_back_in_with_a_code")
        ),
        sa.CheckConstraint(
            "patient_id IS NOT NULL OR account_id IS NOT NULL", name=op.f("ck_invitations_is_for_somebody")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_invitations_account_id")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_invitations_clinic_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name=op.f("fk_invitations_patient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitations")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_invitations_token_hash")),
    )
    op.create_table(
        "kept_posts",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column("account_id", sa.String(length=16), nullable=False),
        sa.Column("owner_id", sa.String(length=16), nullable=False),
        sa.Column("path", sa.String(length=300), nullable=False),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("typed_sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_kept_posts_account_id")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_kept_posts_clinic_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kept_posts")),
    )
    op.create_index(op.f("ix_kept_posts_account_id"), "kept_posts", ["account_id"], unique=False)
    op.create_table(
        "launches",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column("connection_id", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("state_hash", sa.String(length=64), nullable=False),
        sa.Column("browser_hash", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.String(length=16), nullable=True),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("redirect_uri", sa.String(length=500), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("held_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("answered_sealed", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint("kind IN ('connect', 'sign-in', 'from-ehr')", name=op.f("ck_launches_kind")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_launches_account_id")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_launches_clinic_id")),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name=op.f("fk_launches_connection_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_launches")),
        sa.UniqueConstraint("state_hash", name=op.f("uq_launches_state_hash")),
    )
    op.create_index(op.f("ix_launches_source_made_at"), "launches", ["source", "made_at"], unique=False)
    op.create_table(
        "notices",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column("patient_id", sa.String(length=16), nullable=True),
        sa.Column("visit_id", sa.String(length=16), nullable=True),
        sa.Column("account_id", sa.String(length=16), nullable=True),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("about", sa.String(length=60), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("detail_sealed", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "(patient_id IS NOT NULL AND visit_id IS NOT NULL AND kind <> 'security') OR (kind = 'security' AND account_id IS NOT NULL)",
            name=op.f("ck_notices_has_a_reader"),
        ),
        sa.CheckConstraint(
            "kind IN ('invitation', 'asked', 'reminder', 'returned', 'delivered', 'security')",
            name=op.f("ck_notices_kind"),
        ),
        sa.CheckConstraint(
            "state IN ('waiting', 'sending', 'sent', 'failed', 'dropped')", name=op.f("ck_notices_state")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_notices_account_id")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_notices_clinic_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name=op.f("fk_notices_patient_id")),
        sa.ForeignKeyConstraint(["visit_id"], ["visits.id"], name=op.f("fk_notices_visit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
        sa.UniqueConstraint("clinic_id", "about", name=op.f("uq_notices_clinic_id_about")),
    )
    op.create_index(op.f("ix_notices_patient_id_made_at"), "notices", ["patient_id", "made_at"], unique=False)
    op.create_index(op.f("ix_notices_state_due_at"), "notices", ["state", "due_at"], unique=False)
    op.create_index(op.f("ix_notices_visit_id"), "notices", ["visit_id"], unique=False)
    op.create_table(
        "proxy_grants",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column("patient_id", sa.String(length=16), nullable=False),
        sa.Column("account_id", sa.String(length=16), nullable=True),
        sa.Column("relation", sa.String(length=20), nullable=False),
        sa.Column("basis", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("scope", sa.String(length=60), nullable=False),
        sa.Column("starts_on", sa.String(length=10), nullable=False),
        sa.Column("ends_on", sa.String(length=10), nullable=True),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("token_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("person_sealed", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("basis IN ('record', 'staff', 'patient')", name=op.f("ck_proxy_grants_basis")),
        sa.CheckConstraint(
            "relation IN ('parent', 'guardian', 'carer', 'representative')", name=op.f("ck_proxy_grants_relation")
        ),
        sa.CheckConstraint(
            "state <> 'active' OR account_id IS NOT NULL", name=op.f("ck_proxy_grants_somebody_holds_what_is_active")
        ),
        sa.CheckConstraint("state IN ('offered', 'active', 'over')", name=op.f("ck_proxy_grants_state")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_proxy_grants_account_id")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_proxy_grants_clinic_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name=op.f("fk_proxy_grants_patient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proxy_grants")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_proxy_grants_token_hash")),
    )
    op.create_index(op.f("ix_proxy_grants_account_id_state"), "proxy_grants", ["account_id", "state"], unique=False)
    op.create_index(op.f("ix_proxy_grants_patient_id"), "proxy_grants", ["patient_id"], unique=False)
    op.create_table(
        "recovery_codes",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column("account_id", sa.String(length=16), nullable=False),
        sa.Column("code_index", sa.String(length=64), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_recovery_codes_account_id")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_recovery_codes_clinic_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_codes")),
        sa.UniqueConstraint("code_index", name=op.f("uq_recovery_codes_code_index")),
    )
    op.create_index(op.f("ix_recovery_codes_account_id"), "recovery_codes", ["account_id"], unique=False)
    op.create_table(
        "security_notes",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column("account_id", sa.String(length=16), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("what", sa.String(length=20), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_security_notes_account_id")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_security_notes_clinic_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_security_notes")),
    )
    op.create_index(op.f("ix_security_notes_account_id"), "security_notes", ["account_id"], unique=False)
    op.create_table(
        "sign_ins",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column("account_id", sa.String(length=16), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_why", sa.String(length=20), nullable=True),
        sa.Column("owner_id", sa.String(length=16), nullable=False),
        sa.Column("stage", sa.String(length=10), nullable=False),
        sa.Column("how", sa.String(length=20), nullable=False),
        sa.Column("proved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("device_sealed", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint("stage IN ('full', 'code', 'set-up')", name=op.f("ck_sign_ins_stage")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_sign_ins_account_id")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_sign_ins_clinic_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_ins")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_sign_ins_token_hash")),
    )
    op.create_index(op.f("ix_sign_ins_account_id"), "sign_ins", ["account_id"], unique=False)
    op.create_table(
        "submissions",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column("visit_id", sa.String(length=16), nullable=False),
        sa.Column("patient_id", sa.String(length=16), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(length=16), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("document_sealed", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "status IN ('submitted', 'in-review', 'returned', 'accepted', 'withdrawn', 'changing')",
            name=op.f("ck_submissions_status"),
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_submissions_clinic_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name=op.f("fk_submissions_patient_id")),
        sa.ForeignKeyConstraint(["visit_id"], ["visits.id"], name=op.f("fk_submissions_visit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_submissions")),
        sa.UniqueConstraint("reference", name=op.f("uq_submissions_reference")),
        sa.UniqueConstraint("visit_id", "round", name=op.f("uq_submissions_visit_id_round")),
    )
    op.create_index(op.f("ix_submissions_clinic_id_sent_at"), "submissions", ["clinic_id", "sent_at"], unique=False)
    op.create_index(
        op.f("ix_submissions_clinic_id_status_sent_at"), "submissions", ["clinic_id", "status", "sent_at"], unique=False
    )
    op.create_index(op.f("ix_submissions_patient_id"), "submissions", ["patient_id"], unique=False)
    op.create_table(
        "answering",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column("sign_in_id", sa.String(length=16), nullable=False),
        sa.Column("subject", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_answering_clinic_id")),
        sa.ForeignKeyConstraint(["sign_in_id"], ["sign_ins.id"], name=op.f("fk_answering_sign_in_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answering")),
        sa.UniqueConstraint("sign_in_id", name=op.f("uq_answering_sign_in_id")),
    )
    op.create_table(
        "claims",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column("patient_id", sa.String(length=16), nullable=False),
        sa.Column("submission_id", sa.String(length=16), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("hand", sa.String(length=8), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("account_id", sa.String(length=16), nullable=False),
        sa.Column("detail_sealed", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("hand IN ('take', 'let-go')", name=op.f("ck_claims_hand")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_claims_clinic_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name=op.f("fk_claims_patient_id")),
        sa.ForeignKeyConstraint(["submission_id"], ["submissions.id"], name=op.f("fk_claims_submission_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claims")),
        sa.UniqueConstraint("submission_id", "step", name=op.f("uq_claims_submission_id_step")),
    )
    op.create_index(op.f("ix_claims_patient_id"), "claims", ["patient_id"], unique=False)
    op.create_table(
        "confirmations",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column("patient_id", sa.String(length=16), nullable=False),
        sa.Column("visit_id", sa.String(length=16), nullable=False),
        sa.Column("submission_id", sa.String(length=16), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("document_sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_confirmations_clinic_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name=op.f("fk_confirmations_patient_id")),
        sa.ForeignKeyConstraint(["submission_id"], ["submissions.id"], name=op.f("fk_confirmations_submission_id")),
        sa.ForeignKeyConstraint(["visit_id"], ["visits.id"], name=op.f("fk_confirmations_visit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_confirmations")),
        sa.UniqueConstraint("submission_id", name=op.f("uq_confirmations_submission_id")),
    )
    op.create_index(op.f("ix_confirmations_patient_id_at"), "confirmations", ["patient_id", "at"], unique=False)
    op.create_table(
        "decisions",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column("patient_id", sa.String(length=16), nullable=False),
        sa.Column("visit_id", sa.String(length=16), nullable=False),
        sa.Column("submission_id", sa.String(length=16), nullable=False),
        sa.Column("proposal_key", sa.String(length=16), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.String(length=8), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("account_id", sa.String(length=16), nullable=False),
        sa.Column("detail_sealed", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "verdict IN ('accept', 'edit', 'reject', 'ask', 'reopen')", name=op.f("ck_decisions_verdict")
        ),
        sa.CheckConstraint("round > 0", name=op.f("ck_decisions_round")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_decisions_clinic_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name=op.f("fk_decisions_patient_id")),
        sa.ForeignKeyConstraint(["submission_id"], ["submissions.id"], name=op.f("fk_decisions_submission_id")),
        sa.ForeignKeyConstraint(["visit_id"], ["visits.id"], name=op.f("fk_decisions_visit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decisions")),
        sa.UniqueConstraint(
            "submission_id", "proposal_key", "round", name=op.f("uq_decisions_submission_id_proposal_key_round")
        ),
    )
    op.create_index(op.f("ix_decisions_visit_id"), "decisions", ["visit_id"], unique=False)
    op.create_table(
        "proxy_steps",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column("grant_id", sa.String(length=16), nullable=False),
        sa.Column("patient_id", sa.String(length=16), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("act", sa.String(length=10), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("account_id", sa.String(length=16), nullable=True),
        sa.Column("why_sealed", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "act IN ('offered', 'accepted', 'revoked', 'given-up', 'ended')", name=op.f("ck_proxy_steps_act")
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_proxy_steps_clinic_id")),
        sa.ForeignKeyConstraint(["grant_id"], ["proxy_grants.id"], name=op.f("fk_proxy_steps_grant_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name=op.f("fk_proxy_steps_patient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proxy_steps")),
        sa.UniqueConstraint("grant_id", "number", name=op.f("uq_proxy_steps_grant_id_number")),
    )
    op.create_table(
        "submission_statuses",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column("submission_id", sa.String(length=16), nullable=False),
        sa.Column("patient_id", sa.String(length=16), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("account_id", sa.String(length=16), nullable=True),
        sa.Column("why_sealed", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "status IN ('submitted', 'in-review', 'returned', 'accepted', 'withdrawn', 'changing')",
            name=op.f("ck_submission_statuses_status"),
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_submission_statuses_clinic_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name=op.f("fk_submission_statuses_patient_id")),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submissions.id"], name=op.f("fk_submission_statuses_submission_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_submission_statuses")),
        sa.UniqueConstraint("submission_id", "step", name=op.f("uq_submission_statuses_submission_id_step")),
    )
    op.create_index(
        op.f("ix_submission_statuses_clinic_id_status_at"),
        "submission_statuses",
        ["clinic_id", "status", "at"],
        unique=False,
    )
    for guard in {"sqlite": SQLITE, "postgresql": POSTGRESQL}[op.get_bind().dialect.name]:
        op.execute(sa.DDL(guard.replace("%", "%%")))
