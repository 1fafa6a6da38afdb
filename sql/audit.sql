-- The ledger (core/review/audit): appended, sealed, checked; never changed.

-- name: audit_append :one
-- Nobody locks the head of a chain: events of many transactions come in at once, and the sealer puts them in a row.
WITH event AS (
    INSERT INTO audit_events (tenant_id, kind, actor, recorded_at, effective_on, details, leaves_in, n_leaves, root, digest)
    VALUES (%(tenant_id)s, %(kind)s, %(actor)s, %(recorded_at)s, %(effective_on)s, %(details)s, %(leaves_in)s, %(n_leaves)s,
            %(root)s, %(digest)s)
    RETURNING tenant_id, event_id
), waits AS (
    INSERT INTO audit_unsealed (tenant_id, event_id) SELECT tenant_id, event_id FROM event
)
SELECT event_id FROM event

-- name: audit_leaves_add :exec
-- In the order of the leaves, which the root hangs on.
INSERT INTO audit_leaves (tenant_id, event_id, leaf_no, body)
SELECT %(tenant_id)s, %(event_id)s, leaf_no - 1, body FROM unnest(%(bodies)s::bytea[]) WITH ORDINALITY AS given (body, leaf_no)

-- name: audit_waits :one
-- Asked each second by every consumer: one look at a table that is empty but for what is new.
SELECT EXISTS (SELECT FROM audit_unsealed)

-- name: audit_seal_turn :one
-- A sealer that hung and lost its lease waits here for the one that took over, and then sees what that has sealed.
SELECT pg_advisory_xact_lock(hashtext('headrace audit seal')), clock_timestamp()

-- name: audit_unsealed_take :many
-- Found by their rows, not by a number they come after: a transaction that began early may commit late.
SELECT u.tenant_id, u.event_id, e.digest
FROM audit_unsealed u JOIN audit_events e ON e.tenant_id = u.tenant_id AND e.event_id = u.event_id
WHERE %(tenant_id)s::text IS NULL OR u.tenant_id = %(tenant_id)s
ORDER BY u.tenant_id, u.event_id LIMIT %(limit)s FOR UPDATE OF u SKIP LOCKED

-- name: audit_heads :many
-- One look into the key a tenant.
SELECT t.tenant_id, s.seq, s.link, s.sealed_at
FROM unnest(%(tenant_ids)s::text[]) AS t (tenant_id)
CROSS JOIN LATERAL (SELECT seq, link, sealed_at FROM audit_seals
                    WHERE tenant_id = t.tenant_id ORDER BY seq DESC LIMIT 1) s
ORDER BY t.tenant_id

-- name: audit_seals_add :exec
-- Of several tenants, each going on where its chain ended.
INSERT INTO audit_seals (tenant_id, seq, event_id, digest, previous, link, sealed_at)
SELECT tenant_id, seq, event_id, digest, previous, link, %(sealed_at)s
FROM unnest(%(tenant_ids)s::text[], %(seqs)s::bigint[], %(event_ids)s::bigint[], %(digests)s::bytea[], %(previous)s::bytea[],
            %(links)s::bytea[]) AS made (tenant_id, seq, event_id, digest, previous, link)

-- name: audit_unsealed_drop :exec
-- In the transaction of their seals.
DELETE FROM audit_unsealed u
USING unnest(%(tenant_ids)s::text[], %(event_ids)s::bigint[]) AS sealed (tenant_id, event_id)
WHERE u.tenant_id = sealed.tenant_id AND u.event_id = sealed.event_id

-- name: audit_tenants :many
-- Whoever has a row in any table of the ledger, so that one whose events are gone is looked at, too.
SELECT tenant_id FROM audit_seals UNION SELECT tenant_id FROM audit_events UNION SELECT tenant_id FROM audit_unsealed
UNION SELECT tenant_id FROM audit_leaves
ORDER BY tenant_id

-- name: audit_unsealed_count :one
-- How long the unsealed tail is.
SELECT count(*) FROM audit_unsealed WHERE tenant_id = %(tenant_id)s

-- name: audit_events_page :many
-- All that the digest is made of, a page after the other.
SELECT event_id, kind, actor, recorded_at, effective_on, details, leaves_in, n_leaves, root, digest
FROM audit_events WHERE tenant_id = %(tenant_id)s AND event_id > %(after)s ORDER BY event_id LIMIT %(limit)s

-- name: audit_leaves_between :many
-- Those of a page of events, and those between them that belong to none.
SELECT event_id, leaf_no, body FROM audit_leaves
WHERE tenant_id = %(tenant_id)s AND event_id > %(after)s AND event_id <= %(upto)s ORDER BY event_id, leaf_no

-- name: audit_seals_page :many
-- Each with the digest that its event has now; null where that is gone.
SELECT s.seq, s.event_id, s.digest, s.previous, s.link, s.sealed_at, e.digest
FROM audit_seals s LEFT JOIN audit_events e ON e.tenant_id = s.tenant_id AND e.event_id = s.event_id
WHERE s.tenant_id = %(tenant_id)s AND s.seq > %(after)s ORDER BY s.seq LIMIT %(limit)s

-- name: audit_seal_of_digest :many
-- Asked only of an event that is not what was sealed: whether it stood elsewhere.
SELECT event_id FROM audit_seals WHERE tenant_id = %(tenant_id)s AND digest = %(digest)s ORDER BY seq LIMIT 1

-- name: audit_seal_at :many
-- What stands today where a head was taken.
SELECT link FROM audit_seals WHERE tenant_id = %(tenant_id)s AND seq = %(seq)s

-- name: audit_unlisted :many
-- Events that are neither sealed nor wait for it: nobody appended them, or their seals were taken away.
SELECT e.event_id FROM audit_events e
WHERE e.tenant_id = %(tenant_id)s
  AND NOT EXISTS (SELECT FROM audit_seals s WHERE s.tenant_id = e.tenant_id AND s.event_id = e.event_id)
  AND NOT EXISTS (SELECT FROM audit_unsealed u WHERE u.tenant_id = e.tenant_id AND u.event_id = e.event_id)
ORDER BY e.event_id LIMIT %(limit)s

-- name: audit_unsealed_odd :many
-- Of the list of the unsealed: what has no event (false) or a seal already (true).
SELECT u.event_id, s.event_id IS NOT NULL
FROM audit_unsealed u
LEFT JOIN audit_events e ON e.tenant_id = u.tenant_id AND e.event_id = u.event_id
LEFT JOIN audit_seals s ON s.tenant_id = u.tenant_id AND s.event_id = u.event_id
WHERE u.tenant_id = %(tenant_id)s AND (e.event_id IS NULL OR s.event_id IS NOT NULL)
ORDER BY u.event_id LIMIT %(limit)s

-- name: audit_unsealed_list :many
-- The tail by its events, the oldest first.
SELECT event_id FROM audit_unsealed WHERE tenant_id = %(tenant_id)s ORDER BY event_id LIMIT %(limit)s

-- name: audit_listed :many
-- For people, newest first, from an id on: with the place in the chain, null while no seal protects it.
SELECT e.event_id, e.recorded_at, e.kind, e.actor, e.effective_on, e.n_leaves, e.leaves_in, s.seq
FROM audit_events e LEFT JOIN audit_seals s ON s.tenant_id = e.tenant_id AND s.event_id = e.event_id
WHERE e.tenant_id = %(tenant_id)s AND e.event_id < %(before)s
ORDER BY e.event_id DESC LIMIT %(limit)s

-- name: audit_event :many
-- One event, for people.
SELECT e.event_id, e.recorded_at, e.kind, e.actor, e.effective_on, e.n_leaves, e.leaves_in, s.seq, e.digest, s.link
FROM audit_events e LEFT JOIN audit_seals s ON s.tenant_id = e.tenant_id AND s.event_id = e.event_id
WHERE e.tenant_id = %(tenant_id)s AND e.event_id = %(event_id)s
