-- Receivables (core/workloads/invoices/publishing): open items, receipts, allocations.

-- name: items_standing :many
-- What is open of the items that a run brings, and in which version: as decided before, not as its file says.
SELECT item_id, open_minor, version FROM open_items WHERE tenant_id = %(tenant_id)s AND item_id = ANY(%(item_ids)s)

-- name: receipts_decided :many
-- Those that no run decides again.
SELECT payment_id FROM receipts
WHERE tenant_id = %(tenant_id)s AND payment_id = ANY(%(payment_ids)s) AND state IN ('applied', 'unmatched')

-- name: items_settle :exec
-- In id order, so that two runs never wait for each other in a circle; short of rows where one was changed meanwhile.
WITH wanted AS (
    SELECT i.item_id, w.amount_minor
    FROM open_items i
    JOIN unnest(%(item_ids)s::text[], %(amounts)s::bigint[], %(versions)s::bigint[]) AS w (item_id, amount_minor, version)
      ON w.item_id = i.item_id AND w.version = i.version
    WHERE i.tenant_id = %(tenant_id)s
      AND i.open_minor - w.amount_minor BETWEEN least(0, i.given_minor) AND greatest(0, i.given_minor)
    ORDER BY i.item_id FOR UPDATE OF i
)
UPDATE open_items i SET open_minor = i.open_minor - w.amount_minor, version = i.version + 1
FROM wanted w WHERE i.tenant_id = %(tenant_id)s AND i.item_id = w.item_id

-- name: receipts_note :exec
-- What another run has decided meanwhile is not touched, and then counts as short.
INSERT INTO receipts (tenant_id, payment_id, currency, amount_minor, booked_on, state, event_id)
SELECT %(tenant_id)s, payment_id, currency, amount_minor, booked_on, state,
       CASE WHEN state = 'applied' THEN %(event_id)s::bigint END
FROM unnest(%(payment_ids)s::text[], %(currencies)s::text[], %(amounts)s::bigint[], %(days)s::date[], %(states)s::text[])
     AS given (payment_id, currency, amount_minor, booked_on, state)
ORDER BY payment_id
ON CONFLICT (tenant_id, payment_id) DO UPDATE
SET state = excluded.state, event_id = excluded.event_id, version = receipts.version + 1
WHERE receipts.state NOT IN ('applied', 'unmatched')

-- name: receipt_take :many
-- Locked: two people who take back the same line come one after the other.
SELECT state, event_id, currency FROM receipts
WHERE tenant_id = %(tenant_id)s AND payment_id = %(payment_id)s FOR UPDATE

-- name: receipt_unmatch :exec
-- Left to a person from now on.
UPDATE receipts SET state = 'unmatched', event_id = %(event_id)s, version = version + 1
WHERE tenant_id = %(tenant_id)s AND payment_id = %(payment_id)s

-- name: allocations_of_receipt :many
-- What the event that applied a line has applied of it, and how its items stand.
SELECT a.leaf_no, a.item_id, a.amount_minor, a.currency, a.applied_minor, a.residual_kind, a.residual_minor, a.effective_on,
       i.version
FROM allocations a LEFT JOIN open_items i ON i.tenant_id = a.tenant_id AND i.item_id = a.item_id
WHERE a.tenant_id = %(tenant_id)s AND a.event_id = %(event_id)s AND a.payment_id = %(payment_id)s
ORDER BY a.leaf_no

-- name: allocations_between :many
-- All that a leaf is made of, of a range of events.
SELECT event_id, leaf_no, payment_id, item_id, amount_minor, currency, applied_minor, residual_kind, residual_minor,
       effective_on, recorded_at, reverses_event, reverses_leaf
FROM allocations
WHERE tenant_id = %(tenant_id)s AND event_id > %(after)s AND event_id <= %(upto)s ORDER BY event_id, leaf_no

-- name: aging :many
-- Open at the end of a day, as it was known at an instant, by days past due.
SELECT i.currency,
       sum(left_minor) FILTER (WHERE days <= 0)::bigint, sum(left_minor) FILTER (WHERE days BETWEEN 1 AND 30)::bigint,
       sum(left_minor) FILTER (WHERE days BETWEEN 31 AND 60)::bigint,
       sum(left_minor) FILTER (WHERE days BETWEEN 61 AND 90)::bigint,
       sum(left_minor) FILTER (WHERE days > 90)::bigint, sum(left_minor)::bigint, count(*)
FROM open_items i
LEFT JOIN (SELECT item_id, sum(amount_minor) AS paid_minor FROM allocations
           WHERE tenant_id = %(tenant_id)s AND effective_on <= %(as_of)s AND recorded_at <= %(known_at)s GROUP BY item_id) a
       ON a.item_id = i.item_id
CROSS JOIN LATERAL (SELECT i.given_minor - coalesce(a.paid_minor, 0) AS left_minor, %(as_of)s::date - i.due_on AS days) d
WHERE i.tenant_id = %(tenant_id)s AND i.issued_on <= %(as_of)s AND i.recorded_at <= %(known_at)s AND left_minor <> 0
GROUP BY i.currency ORDER BY i.currency

-- name: receipts_count :many
-- Lines of each state, no further than a page says: what is beyond costs nothing.
SELECT s.state, (SELECT count(*) FROM (SELECT FROM receipts r WHERE r.tenant_id = %(tenant_id)s AND r.state = s.state
                                       LIMIT %(limit)s) AS met)
FROM unnest(%(states)s::text[]) AS s (state)

-- name: receipts_page :many
-- Lines of a state after one of them, by key: in the order of receipts_listed.
SELECT r.payment_id, r.currency, r.amount_minor, r.booked_on, r.state, r.event_id, r.version,
       (SELECT e.told ->> 'held_by' FROM explanations e
        WHERE e.tenant_id = r.tenant_id AND e.payment_id = r.payment_id)
FROM receipts r
WHERE r.tenant_id = %(tenant_id)s AND r.state = %(state)s
  AND (r.booked_on, r.payment_id) > (%(after)s, %(after_id)s)
ORDER BY r.booked_on, r.payment_id LIMIT %(limit)s

-- name: receipt_of :many
-- One line, for people.
SELECT r.payment_id, r.currency, r.amount_minor, r.booked_on, r.state, r.event_id, r.version, e.told ->> 'held_by'
FROM receipts r LEFT JOIN explanations e ON e.tenant_id = r.tenant_id AND e.payment_id = r.payment_id
WHERE r.tenant_id = %(tenant_id)s AND r.payment_id = %(payment_id)s

-- name: receipt_seen :many
-- Locked until it is taken back: how it stands, and who brought it there.
SELECT r.version, r.state, r.event_id, e.actor, e.recorded_at
FROM receipts r LEFT JOIN audit_events e ON e.tenant_id = r.tenant_id AND e.event_id = r.event_id
WHERE r.tenant_id = %(tenant_id)s AND r.payment_id = %(payment_id)s FOR UPDATE OF r

-- name: allocations_told :many
-- All that was applied of a line and taken back, with its events: for people, oldest first.
SELECT a.event_id, a.item_id, i.number, i.customer_id, a.amount_minor, a.currency, a.applied_minor, a.residual_kind,
       a.residual_minor, a.effective_on, a.recorded_at, a.reverses_event, e.actor, e.kind
FROM allocations a
JOIN audit_events e ON e.tenant_id = a.tenant_id AND e.event_id = a.event_id
LEFT JOIN open_items i ON i.tenant_id = a.tenant_id AND i.item_id = a.item_id
WHERE a.tenant_id = %(tenant_id)s AND a.payment_id = %(payment_id)s ORDER BY a.event_id, a.leaf_no

-- name: explanations_drop :exec
-- Before others are put in their place: payments that were not decided are explained anew by each run.
DELETE FROM explanations WHERE tenant_id = %(tenant_id)s AND payment_id = ANY(%(payment_ids)s)

-- name: explanation_of :many
-- Of one line, with how it stands now; null where it was decided before explanations were kept.
SELECT r.state, r.booked_on, e.told
FROM receipts r LEFT JOIN explanations e ON e.tenant_id = r.tenant_id AND e.payment_id = r.payment_id
WHERE r.tenant_id = %(tenant_id)s AND r.payment_id = %(payment_id)s

-- name: item_of :many
-- Whose an item is, and since when.
SELECT customer_id, issued_on FROM open_items WHERE tenant_id = %(tenant_id)s AND item_id = %(item_id)s

-- name: suggestions_drop :exec
-- A run that decides a line again suggests anew.
DELETE FROM suggestions WHERE tenant_id = %(tenant_id)s AND payment_id = ANY(%(payment_ids)s)

-- name: suggestions_of :many
-- What is suggested for a line, with how its items stand now.
SELECT s.rank, s.item_id, i.number, i.customer_id, s.amount_minor, s.currency, s.applied_minor, s.residual_kind,
       s.residual_minor, s.posterior, s.reason, i.open_minor, i.version
FROM suggestions s LEFT JOIN open_items i ON i.tenant_id = s.tenant_id AND i.item_id = s.item_id
WHERE s.tenant_id = %(tenant_id)s AND s.payment_id = %(payment_id)s ORDER BY s.rank, s.line_no

-- name: receipt_counts_from :one
-- The day from which a line may count: booked, or taken back last. What was told of earlier days stays as it was told.
SELECT greatest(r.booked_on, e.effective_on)
FROM receipts r LEFT JOIN audit_events e ON e.tenant_id = r.tenant_id AND e.event_id = r.event_id
WHERE r.tenant_id = %(tenant_id)s AND r.payment_id = %(payment_id)s

-- name: receipt_apply :exec
-- By a person's event.
UPDATE receipts SET state = 'applied', event_id = %(event_id)s, version = version + 1
WHERE tenant_id = %(tenant_id)s AND payment_id = %(payment_id)s
