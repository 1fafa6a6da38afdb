-- Who signs in to the pages and the API (core/pages/accounts).

-- name: user_add :many
-- A name that is taken, in whatever capitals, gives no row.
INSERT INTO web_users (name, role, password_hash) VALUES (%(name)s, %(role)s, %(password_hash)s)
ON CONFLICT (lower(name)) DO NOTHING RETURNING user_id

-- name: user_first :many
-- The first admin: only while there is no user at all, which the lock keeps true until the end.
INSERT INTO web_users (name, role, password_hash)
SELECT %(name)s, 'admin', %(password_hash)s WHERE NOT EXISTS (SELECT FROM web_users) RETURNING user_id

-- name: users_lock :exec
-- Two links opened at the same time make one first admin.
LOCK TABLE web_users IN SHARE ROW EXCLUSIVE MODE

-- name: user_any :one
-- Whether somebody could sign in.
SELECT EXISTS (SELECT FROM web_users)

-- name: user_list :many
-- For people; a company has hundreds.
SELECT u.user_id, u.name, u.role, u.disabled, u.created_at,
       (SELECT max(s.seen_at) FROM web_sessions s WHERE s.user_id = u.user_id)
FROM web_users u ORDER BY lower(u.name) LIMIT 10000

-- name: user_by_name :many
-- Who wants to sign in.
SELECT user_id, name, role, password_hash, disabled FROM web_users WHERE lower(name) = lower(%(name)s)

-- name: user_role :many
-- A role may fall or rise; sign-ins end so that no page of before stays open.
UPDATE web_users SET role = %(role)s WHERE lower(name) = lower(%(name)s) RETURNING user_id

-- name: user_password :many
-- A new hash; also at a sign-in whose hash was made with older parameters.
UPDATE web_users SET password_hash = %(password_hash)s WHERE lower(name) = lower(%(name)s) RETURNING user_id

-- name: user_disabled :many
-- Kept, because decisions name who made them.
UPDATE web_users SET disabled = %(disabled)s WHERE lower(name) = lower(%(name)s) RETURNING user_id

-- name: session_add :exec
-- A sign-in.
INSERT INTO web_sessions (digest, user_id, seen_at, ends_at)
VALUES (%(digest)s, %(user_id)s, clock_timestamp(), clock_timestamp() + make_interval(secs => %(life_s)s))

-- name: session_read :many
-- Who asks, with the role of this moment; and how long ago that was last noted.
SELECT u.user_id, u.name, u.role, extract(epoch FROM clock_timestamp() - s.seen_at)::double precision
FROM web_sessions s JOIN web_users u USING (user_id)
WHERE s.digest = %(digest)s AND NOT u.disabled AND s.ends_at > clock_timestamp()
  AND s.seen_at > clock_timestamp() - make_interval(secs => %(idle_s)s)

-- name: session_seen :exec
-- Noted at most once a minute, so that reading a page is not a write.
UPDATE web_sessions SET seen_at = clock_timestamp() WHERE digest = %(digest)s

-- name: session_end :exec
-- A sign-out.
DELETE FROM web_sessions WHERE digest = %(digest)s

-- name: sessions_end :exec
-- All sign-ins of a user: after a new password, role or disabling.
DELETE FROM web_sessions WHERE user_id = %(user_id)s

-- name: sessions_sweep :exec
-- What ended is nobody's any more; at each sign-in.
DELETE FROM web_sessions WHERE ends_at < clock_timestamp()

-- name: token_add :one
-- A token for programs.
INSERT INTO web_tokens (digest, prefix, user_id, label, role, ends_at)
VALUES (%(digest)s, %(prefix)s, %(user_id)s, %(label)s, %(role)s, clock_timestamp() + make_interval(secs => %(life_s)s))
RETURNING token_id, ends_at

-- name: token_read :many
-- Who asks by a token; the lesser of both roles is taken above.
SELECT u.user_id, u.name, u.role, t.role, t.token_id FROM web_tokens t JOIN web_users u USING (user_id)
WHERE t.digest = %(digest)s AND NOT u.disabled AND t.revoked_at IS NULL AND t.ends_at > clock_timestamp()

-- name: token_list :many
-- For people: what there is, by its prefix.
SELECT t.token_id, t.prefix, u.name, t.label, t.role, t.created_at, t.ends_at, t.revoked_at
FROM web_tokens t JOIN web_users u USING (user_id) ORDER BY t.token_id LIMIT 10000

-- name: token_revoke :many
-- At once: each request reads it.
UPDATE web_tokens SET revoked_at = clock_timestamp() WHERE token_id = %(token_id)s AND revoked_at IS NULL RETURNING token_id

-- name: failure_wait :one
-- Seconds until the next attempt may be made.
SELECT coalesce(greatest(max(extract(epoch FROM free_at - clock_timestamp())), 0), 0)::double precision
FROM web_failures WHERE key = %(key)s

-- name: attempt_add :many
-- Counted before the password is looked at, under the lock of the row, so that many at once are no way around the pause; no
-- row: it must wait. The pause doubles from a second on, once the free attempts are used up, to a quarter of an hour.
INSERT INTO web_failures AS f (key, n_failures, free_at) VALUES (%(key)s, 1, clock_timestamp())
ON CONFLICT (key) DO UPDATE SET n_failures = f.n_failures + 1, free_at = clock_timestamp() + make_interval(secs =>
    CASE WHEN f.n_failures < %(n_free)s THEN 0 ELSE least(power(2, least(f.n_failures - %(n_free)s, 10)), 900) END)
WHERE f.free_at <= clock_timestamp() RETURNING key

-- name: attempt_take_back :exec
-- It was the right password: of an address that others use too, only this attempt.
UPDATE web_failures SET n_failures = greatest(n_failures - 1, 0), free_at = clock_timestamp() WHERE key = %(key)s

-- name: failure_clear :exec
-- After the right password, and what is a day old.
DELETE FROM web_failures WHERE key = %(key)s OR free_at < clock_timestamp() - interval '1 day'

-- name: invitation_add :exec
-- A link for the first admin.
INSERT INTO web_invitations (digest, ends_at)
VALUES (%(digest)s, clock_timestamp() + make_interval(secs => %(life_s)s))

-- name: invitation_known :one
-- Whether the link is still good.
SELECT EXISTS (SELECT FROM web_invitations WHERE digest = %(digest)s AND ends_at > clock_timestamp())
   AND NOT EXISTS (SELECT FROM web_users)

-- name: invitations_end :exec
-- All of them: there is a user now.
DELETE FROM web_invitations
