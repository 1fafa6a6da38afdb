#!/opt/headrace/venv/bin/python
"""Exit 0 if what runs here says that it is well. Kubernetes uses its own probes; this is for other engines.

Asked are the ports of a consumer, of the web app or a Prefect worker, and of Prefect's server; the first that answers
decides.
"""

import sys
import urllib.error
import urllib.request

PLACES = ((8081, "/health"), (8080, "/health"), (4200, "/api/health"))


def well(port: int, path: str) -> bool | None:
    """Whether the one behind the port is well; None if nobody listens."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=3) as answer:
            return bool(answer.status == 200)
    except urllib.error.HTTPError as error:
        error.close()
        return False
    except OSError:
        return None


if __name__ == "__main__":
    answers = [answer for answer in (well(*place) for place in PLACES) if answer is not None]
    sys.exit(0 if answers and answers[0] else 1)
