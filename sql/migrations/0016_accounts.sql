-- Who signs in to the pages and the API. Of passwords, sessions, tokens and links only digests are kept.

CREATE TABLE web_users (
    user_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name          text        NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    role          text        NOT NULL CHECK (role IN ('viewer', 'reviewer', 'admin')),
    password_hash text,
    disabled      boolean     NOT NULL DEFAULT false,
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE UNIQUE INDEX web_users_name ON web_users (lower(name));
COMMENT ON COLUMN web_users.password_hash IS 'argon2, with its parameters; NULL: nobody signs in by a password.';

CREATE TABLE web_sessions (
    digest     bytea       PRIMARY KEY CHECK (length(digest) = 32),
    user_id    bigint      NOT NULL REFERENCES web_users ON DELETE CASCADE,
    seen_at    timestamptz NOT NULL,
    ends_at    timestamptz NOT NULL
);
CREATE INDEX web_sessions_user ON web_sessions (user_id);
CREATE INDEX web_sessions_ends ON web_sessions (ends_at);
COMMENT ON COLUMN web_sessions.digest IS 'SHA-256 of what the cookie holds.';
COMMENT ON COLUMN web_sessions.seen_at IS 'Written at most once a minute.';

CREATE TABLE web_tokens (
    token_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    digest     bytea       NOT NULL UNIQUE CHECK (length(digest) = 32),
    prefix     text        NOT NULL,
    user_id    bigint      NOT NULL REFERENCES web_users ON DELETE CASCADE,
    label      text        NOT NULL CHECK (length(label) BETWEEN 1 AND 100),
    role       text        NOT NULL CHECK (role IN ('viewer', 'reviewer', 'admin')),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ends_at    timestamptz NOT NULL,
    revoked_at timestamptz
);
COMMENT ON COLUMN web_tokens.role IS 'The most it may; never more than its user.';

CREATE TABLE web_failures (
    key        bytea       PRIMARY KEY CHECK (length(key) = 32),
    n_failures integer     NOT NULL,
    free_at    timestamptz NOT NULL
);
CREATE INDEX web_failures_free ON web_failures (free_at);
COMMENT ON TABLE web_failures IS 'Wrong passwords by address, and by account with address; the next attempt waits until free_at.';

CREATE TABLE web_invitations (
    digest  bytea       PRIMARY KEY CHECK (length(digest) = 32),
    ends_at timestamptz NOT NULL
);
COMMENT ON TABLE web_invitations IS 'Links that make the first admin; gone once one of them is used.';
