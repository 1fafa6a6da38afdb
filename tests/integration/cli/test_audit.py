"""`headrace audit` as a user calls it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from core.database import DatabaseManager
from core.review.audit.chain import Event
from core.review.audit.events import append
from tests.command import headrace

AT = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)


def test_audit_tells_a_changed_byte_and_what_no_seal_protects(db: DatabaseManager, database_url: str) -> None:
    env = {"HEADRACE_DATABASE__URL": database_url, "COLUMNS": "120"}
    empty = headrace("audit", "verify", env=env)
    assert (empty.returncode, empty.stdout) == (0, "nothing was recorded yet\n")
    with db.transaction() as conn:
        event_id = append(conn, Event("default", "settled", "test", AT), [{"amount_minor": 100}])

    unsealed = headrace("audit", "verify", env=env)
    assert unsealed.returncode == 0
    assert f"default: no seal protects yet event {event_id} (1)" in unsealed.stdout
    head = headrace("audit", "head", env=env).stdout.strip()
    assert head.startswith("default:1:")
    (row,) = json.loads(headrace("audit", "head", "--tenant", "default", "--json", env=env).stdout)
    assert (row["head"], row["seq"], len(row["link"])) == (head, 1, 64)
    sound = json.loads(headrace("audit", "verify", "--head", head, "--json", env=env).stdout)
    assert (sound["sound"], sound["tenants"][0]["head"], sound["tenants"][0]["n_unsealed"]) == (True, head, 0)

    with db.transaction() as conn:
        conn.execute("ALTER TABLE audit_leaves DISABLE TRIGGER ALL")
        conn.execute("UPDATE audit_leaves SET body = set_byte(body, 18, 50)")
    changed = headrace("audit", "verify", env=env)
    assert changed.returncode == 1
    assert f"default: changed in audit_leaves: a leaf of event {event_id} was changed" in changed.stdout
    told = json.loads(headrace("audit", "verify", "--json", env=env).stdout)
    assert [fault["event_id"] for fault in told["tenants"][0]["faults"]] == [event_id]


def test_audit_verify_refuses_what_is_no_head() -> None:
    refused = headrace("audit", "verify", "--head", "default:7")
    assert (refused.returncode, "is no head" in refused.stderr) == (2, True)
