-- Cases for people to decide: filled, leased, judged. What is said of them goes to the ledger.

-- name: review_fill :exec
-- Each case once, however often runs find it. A verdict goes on to hold; its case is asked again if its values are others.
INSERT INTO review_items AS i (tenant_id, topic, subject, run, seen, facts, probability, value)
SELECT %(tenant_id)s, %(topic)s, string_to_array(subject, chr(31)), %(run)s, seen, facts::json, probability, value
FROM unnest(%(subjects)s::text[], %(seen)s::text[], %(facts)s::text[], %(probabilities)s::float8[], %(values)s::float8[])
     AS found (subject, seen, facts, probability, value)
ON CONFLICT (tenant_id, topic, subject) DO UPDATE SET
    run = excluded.run, seen = excluded.seen, facts = excluded.facts, probability = excluded.probability, value = excluded.value,
    version = i.version + (i.seen <> excluded.seen OR i.facts::text <> excluded.facts::text)::int,
    state = CASE WHEN i.seen <> excluded.seen THEN 'open' ELSE i.state END,
    returned = CASE WHEN i.seen <> excluded.seen AND i.verdict IS NOT NULL THEN 'values' ELSE i.returned END

-- name: review_said :many
-- Cases of a topic that have a verdict, and the values it was about: runs hold them against the values of now.
SELECT subject, seen FROM review_items
WHERE tenant_id = %(tenant_id)s AND topic = %(topic)s AND verdict IS NOT NULL ORDER BY item_id

-- name: review_return :exec
-- Cases that no run asks about, but whose values are others than when somebody decided.
UPDATE review_items i
SET seen = now.seen, version = i.version + 1, state = 'open', returned = 'values', run = %(run)s
FROM (SELECT string_to_array(subject, chr(31)), seen
      FROM unnest(%(subjects)s::text[], %(seen)s::text[]) AS given (subject, seen)) AS now (subject, seen)
WHERE i.tenant_id = %(tenant_id)s AND i.topic = %(topic)s AND i.subject = now.subject AND i.seen <> now.seen

-- name: review_drop :exec
-- What only an earlier run asked, and nobody ever answered.
DELETE FROM review_items i
WHERE i.tenant_id = %(tenant_id)s AND i.topic = %(topic)s AND i.run <> %(run)s AND i.verdict IS NULL
  AND NOT EXISTS (SELECT FROM review_verdicts v WHERE v.item_id = i.item_id)

-- name: review_claim :many
-- Taken like batches: nobody waits for another, and what somebody left lying is given out again once its time is over.
WITH next AS (
    SELECT item_id FROM review_items
    WHERE tenant_id = %(tenant_id)s AND topic = %(topic)s AND state IN ('open', 'second')
      AND (leased_until IS NULL OR leased_until <= %(at)s OR leased_by = %(actor)s)
      AND NOT (state = 'second' AND decided_by = %(actor)s)
      AND item_id <> ALL (%(held)s::bigint[])
    ORDER BY value DESC, item_id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
UPDATE review_items i SET leased_by = %(actor)s, leased_until = %(until)s FROM next WHERE i.item_id = next.item_id
RETURNING i.item_id, i.topic, i.subject, i.state, i.returned, i.verdict, i.decided_by, i.decided_at, i.event_id, i.version, i.seen,
          i.facts, i.probability, i.value, i.run

-- name: review_held :many
-- What somebody holds: a page shows it again after a reload.
SELECT item_id, topic, subject, state, returned, verdict, decided_by, decided_at, event_id, version, seen, facts, probability, value, run
FROM review_items
WHERE tenant_id = %(tenant_id)s AND topic = %(topic)s AND state IN ('open', 'second')
  AND leased_by = %(actor)s AND leased_until > %(at)s AND NOT (state = 'second' AND decided_by = %(actor)s)
ORDER BY value DESC, item_id LIMIT %(limit)s

-- name: review_release :exec
-- Given back before its time is over.
UPDATE review_items SET leased_by = NULL, leased_until = NULL
WHERE tenant_id = %(tenant_id)s AND item_id = ANY (%(item_ids)s) AND leased_by = %(actor)s

-- name: review_item :many
-- One case as it stands.
SELECT item_id, topic, subject, state, returned, verdict, decided_by, decided_at, event_id, version, seen, facts, probability, value, run
FROM review_items WHERE tenant_id = %(tenant_id)s AND item_id = %(item_id)s

-- name: review_item_lock :many
-- One case, for a verdict: whoever comes second sees what the first one said.
SELECT item_id, topic, subject, state, returned, verdict, decided_by, decided_at, event_id, version, seen, facts, probability, value, run
FROM review_items WHERE tenant_id = %(tenant_id)s AND item_id = %(item_id)s FOR UPDATE

-- name: review_items_of :many
-- Cases by their subjects.
SELECT item_id, topic, subject, state, returned, verdict, decided_by, decided_at, event_id, version, seen, facts, probability, value, run
FROM review_items
WHERE tenant_id = %(tenant_id)s AND topic = %(topic)s
  AND subject IN (SELECT string_to_array(each, chr(31)) FROM unnest(%(subjects)s::text[]) AS each)
ORDER BY value DESC, item_id

-- name: review_waiting :many
-- The list as it waits, dearest first, whoever holds what.
SELECT item_id, topic, subject, state, returned, verdict, decided_by, decided_at, event_id, version, seen, facts, probability, value, run
FROM review_items
WHERE tenant_id = %(tenant_id)s AND topic = %(topic)s AND state = 'open'
ORDER BY value DESC, item_id LIMIT %(limit)s

-- name: review_decide :exec
-- What holds from now on.
UPDATE review_items
SET verdict = %(verdict)s, event_id = %(event_id)s, decided_by = %(actor)s, decided_at = %(at)s, state = %(state)s, returned = %(returned)s,
    version = version + 1, leased_by = %(leased_by)s, leased_until = %(leased_until)s
WHERE item_id = %(item_id)s

-- name: review_verdict_add :exec
-- The leaf of an event, in its transaction.
INSERT INTO review_verdicts (tenant_id, event_id, kind, item_id, topic, subject, version, verdict, takes_back, actor, decided_at, reason,
                             seen, evidence, request_key)
VALUES (%(tenant_id)s, %(event_id)s, %(kind)s, %(item_id)s, %(topic)s, %(subject)s, %(version)s, %(verdict)s, %(takes_back)s, %(actor)s,
        %(decided_at)s, %(reason)s, %(seen)s, %(evidence)s, %(request_key)s)

-- name: review_verdict_by_key :many
-- Whether somebody asked this before: a lost answer is given again, not done again.
SELECT event_id, item_id, kind, verdict, takes_back, decided_at
FROM review_verdicts WHERE tenant_id = %(tenant_id)s AND actor = %(actor)s AND request_key = %(request_key)s

-- name: review_verdict :many
-- One verdict, whether it was taken back, and by whom.
SELECT v.event_id, v.item_id, v.kind, v.verdict, v.version, v.actor, v.decided_at, u.actor, u.decided_at
FROM review_verdicts v LEFT JOIN review_verdicts u ON u.tenant_id = v.tenant_id AND u.takes_back = v.event_id AND u.kind = 'undo'
WHERE v.tenant_id = %(tenant_id)s AND v.event_id = %(event_id)s

-- name: review_verdict_before :many
-- What held before a verdict, and holds again once that is taken back.
SELECT v.event_id, v.verdict, v.actor, v.decided_at
FROM review_verdicts v
WHERE v.item_id = %(item_id)s AND v.kind = 'verdict' AND v.event_id < %(event_id)s
  AND NOT EXISTS (SELECT FROM review_verdicts u WHERE u.takes_back = v.event_id AND u.kind = 'undo')
ORDER BY v.event_id DESC LIMIT 1

-- name: review_recent :many
-- The last words of one person that still stand, for their list of undos.
SELECT v.event_id, v.item_id, v.kind, v.verdict, v.subject, v.decided_at
FROM review_verdicts v
WHERE v.tenant_id = %(tenant_id)s AND v.topic = %(topic)s AND v.actor = %(actor)s AND v.kind <> 'undo'
  AND NOT EXISTS (SELECT FROM review_verdicts u WHERE u.takes_back = v.event_id AND u.kind = 'undo')
ORDER BY v.event_id DESC LIMIT %(limit)s

-- name: review_holding :many
-- Every case of a topic that was ever judged: what holds, or that nothing does any more.
SELECT i.subject, i.verdict, i.decided_by, i.decided_at, v.seen
FROM review_items i LEFT JOIN review_verdicts v ON v.tenant_id = i.tenant_id AND v.event_id = i.event_id
WHERE i.tenant_id = %(tenant_id)s AND i.topic = %(topic)s
  AND (i.verdict IS NOT NULL OR EXISTS (SELECT FROM review_verdicts e WHERE e.item_id = i.item_id))
ORDER BY i.item_id

-- name: review_joined_with :many
-- All that verdicts on other cases make one with something, it included: the search ends at a bound that no entity reaches.
WITH RECURSIVE reached (id) AS (
    SELECT %(start)s::text
    UNION
    SELECT other FROM reached r
    JOIN review_items i ON i.subject @> ARRAY[r.id] AND i.verdict = %(joins)s AND i.tenant_id = %(tenant_id)s AND i.topic = %(topic)s
      AND i.item_id <> %(item_id)s
    CROSS JOIN LATERAL unnest(i.subject) AS other
)
SELECT id FROM reached LIMIT %(limit)s

-- name: review_apart_between :many
-- A verdict that keeps apart something of one group from something of another.
SELECT subject, decided_by, decided_at FROM review_items
WHERE tenant_id = %(tenant_id)s AND topic = %(topic)s AND verdict = %(parts)s AND item_id <> %(item_id)s
  AND subject && %(these)s::text[] AND subject && %(those)s::text[]
ORDER BY item_id LIMIT 1

-- name: review_topic_lock :exec
-- Verdicts that could contradict each other come one after the other.
SELECT pg_advisory_xact_lock(hashtext('headrace review'), hashtext(%(topic)s))

-- name: review_counts :many
-- How many cases of each topic stand how, and how many are with somebody.
SELECT topic, count(*) FILTER (WHERE state = 'open'), count(*) FILTER (WHERE state = 'second'),
       count(*) FILTER (WHERE state = 'settled'), count(*) FILTER (WHERE returned IS NOT NULL AND state = 'open'),
       count(*) FILTER (WHERE state <> 'settled' AND leased_until > %(at)s)
FROM review_items WHERE tenant_id = %(tenant_id)s AND (%(topic)s::text IS NULL OR topic = %(topic)s)
GROUP BY topic ORDER BY topic

-- name: review_stated :many
-- Verdicts that hold, beside what the run stated: for how right its probabilities are.
SELECT probability, verdict FROM review_items
WHERE tenant_id = %(tenant_id)s AND topic = %(topic)s AND verdict IS NOT NULL AND probability IS NOT NULL
ORDER BY item_id

-- name: review_second_looks :many
-- Second looks that stand, each beside the verdict that it was a look at.
SELECT f.verdict, s.verdict
FROM review_verdicts s
CROSS JOIN LATERAL (SELECT verdict FROM review_verdicts v WHERE v.item_id = s.item_id AND v.kind = 'verdict'
                      AND v.event_id < s.event_id ORDER BY v.event_id DESC LIMIT 1) f
WHERE s.tenant_id = %(tenant_id)s AND s.topic = %(topic)s AND s.kind = 'second'
  AND NOT EXISTS (SELECT FROM review_verdicts u WHERE u.takes_back = s.event_id AND u.kind = 'undo')
ORDER BY s.event_id

-- name: review_leaves_between :many
-- For a check of the ledger: all that a leaf's bytes are made of.
SELECT event_id, leaf_no, kind, topic, subject, version, verdict, takes_back, actor, decided_at, reason, seen, evidence
FROM review_verdicts
WHERE tenant_id = %(tenant_id)s AND event_id > %(after)s AND event_id <= %(upto)s ORDER BY event_id, leaf_no
