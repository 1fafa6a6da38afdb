-- Emissions (core/workloads/emissions/publishing): documents, data sets, lines as booked, inventories.

-- name: emission_period_turn :one
-- Whoever writes to a period of a tenant comes one after the other: versions have no gaps, and a lock holds.
SELECT pg_advisory_xact_lock(hashtext('headrace inventory'), hashtext(%(tenant_id)s || ' ' || %(period)s::text))

-- name: documents_keep :exec
-- The same content once, whoever brings it.
INSERT INTO emission_documents (document_id, body)
SELECT document_id, body FROM unnest(%(document_ids)s::text[], %(bodies)s::bytea[]) AS given (document_id, body)
ORDER BY document_id ON CONFLICT (document_id) DO NOTHING

-- name: documents_read :many
-- By hash.
SELECT document_id, body FROM emission_documents WHERE document_id = ANY(%(document_ids)s)

-- name: datasets_known :many
-- Which of some data sets are there whole: a data set and its figures come in one transaction.
SELECT dataset_id FROM factor_datasets WHERE dataset_id = ANY(%(dataset_ids)s)

-- name: dataset_keep :exec
-- Its figures follow in the same transaction, if this row is new.
INSERT INTO factor_datasets (dataset_id, source, edition, patch, licence, restricted, file_sha256, facts, n_factors)
VALUES (%(dataset_id)s, %(source)s, %(edition)s, %(patch)s, %(licence)s, %(restricted)s, %(file_sha256)s, %(facts)s,
        %(n_factors)s)
ON CONFLICT (dataset_id) DO NOTHING

-- name: dataset_read :many
-- What an edition says of itself.
SELECT file_sha256, facts::text FROM factor_datasets WHERE dataset_id = %(dataset_id)s

-- name: factors_read :many
-- In the order of the hash.
SELECT facts::text FROM factors WHERE dataset_id = %(dataset_id)s ORDER BY factor_no

-- name: imports_list :many
-- The imports of a period, oldest first.
SELECT i.event_id, i.n_lines, i.file_sha256, e.actor, e.recorded_at
FROM activity_imports i JOIN audit_events e ON e.tenant_id = i.tenant_id AND e.event_id = i.event_id
WHERE i.tenant_id = %(tenant_id)s AND i.period = %(period)s ORDER BY i.event_id

-- name: import_add :exec
-- In the transaction of its lines and its event.
INSERT INTO activity_imports (tenant_id, period, event_id, n_lines, file_sha256)
VALUES (%(tenant_id)s, %(period)s, %(event_id)s, %(n_lines)s, %(file_sha256)s)

-- name: activity_lines_read :many
-- Of some imports, in the order in which they came.
SELECT event_id, line_id, document, document_line, document_type, document_ref, date, supplier, supplier_id, supplier_country,
       supplier_vat, supplier_lei, buyer_code, code_scheme, code, text, amount, currency, tax, amount_basis, valuation, capex,
       quantity, unit, country, product_key, covers_amount, supplier_factor, supplier_factor_unit, supplier_factor_boundary
FROM activity_lines WHERE tenant_id = %(tenant_id)s AND event_id = ANY(%(event_ids)s) ORDER BY event_id, row_no

-- name: activity_lines_between :many
-- All that a block is made of, of a range of events.
SELECT event_id, row_no, line_id, document, document_line, document_type, document_ref, date, supplier, supplier_id,
       supplier_country, supplier_vat, supplier_lei, buyer_code, code_scheme, code, text, amount, currency, tax, amount_basis,
       valuation, capex, quantity, unit, country, product_key, covers_amount, supplier_factor, supplier_factor_unit,
       supplier_factor_boundary
FROM activity_lines WHERE tenant_id = %(tenant_id)s AND event_id > %(after)s AND event_id <= %(upto)s ORDER BY event_id, row_no

-- name: inventory_lines_between :many
-- All that a block is made of, of a range of events.
SELECT event_id, row_no, line_id, fate, reason, category, method, dataset_id, factor_no, mass_mg, share, supplier_entity,
       data_quality, ln_sd_millionths, review, note, flags, amount_minor, currency
FROM inventory_lines WHERE tenant_id = %(tenant_id)s AND event_id > %(after)s AND event_id <= %(upto)s ORDER BY event_id, row_no

-- name: inventories_list :many
-- The versions of a period, the newest first; of all periods where none is named.
SELECT i.period, i.version, i.state, i.restates, i.total_mg, i.n_lines, i.event_id, i.content, i.pin, i.summary::text, e.actor,
       e.recorded_at
FROM inventories i JOIN audit_events e ON e.tenant_id = i.tenant_id AND e.event_id = i.event_id
WHERE i.tenant_id = %(tenant_id)s AND (%(period)s::int IS NULL OR i.period = %(period)s) ORDER BY i.period DESC, i.version DESC

-- name: inventory_add :exec
-- In the transaction of its lines and its event.
INSERT INTO inventories (tenant_id, period, version, restates, event_id, total_mg, n_lines, content, pin, summary)
VALUES (%(tenant_id)s, %(period)s, %(version)s, %(restates)s, %(event_id)s, %(total_mg)s, %(n_lines)s, %(content)s, %(pin)s,
        %(summary)s)

-- name: inventories_supersede :exec
-- What a newer version stands for: the draft, or with a lock the version that was locked before.
UPDATE inventories SET state = 'superseded'
WHERE tenant_id = %(tenant_id)s AND period = %(period)s AND version < %(version)s AND state = %(state)s

-- name: inventory_lock :exec
-- Nothing is touched unless it is still a draft.
UPDATE inventories SET state = 'locked'
WHERE tenant_id = %(tenant_id)s AND period = %(period)s AND version = %(version)s AND state = 'draft'

-- name: bridge_read :many
-- The steps of the version that an event has published.
SELECT step_no, driver, delta_mg, total_mg, n_changed FROM inventory_bridges
WHERE tenant_id = %(tenant_id)s AND event_id = %(event_id)s ORDER BY step_no
