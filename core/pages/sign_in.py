"""Signing in and out, the first admin, one's own password."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from core.errors import InputError
from core.pages import assets
from core.pages.access.needs import Viewer, cookie_name
from core.pages.accounts import users
from core.pages.accounts.sign_ins import TooManyAttempts
from core.pages.kit import kit_of
from core.pages.problems import NotFound
from core.pages.rendering import show

router = APIRouter(include_in_schema=False)

Text = Annotated[str, Form(max_length=1_000)]


@router.get("/assets/{name}")
def asset(name: str) -> Response:
    """Style and scripts; a name that carries another digest is another file."""
    found = assets.served().get(name)
    if found is None:
        raise NotFound("there is no such file; reload the page that asked for it")
    return Response(found.content, media_type=found.media_type, headers={"Cache-Control": assets.FOR_EVER})


@router.get("/sign-in")
def ask(request: Request, next: str = "/") -> Response:  # noqa: A002 - the name in the address
    """The form; where nobody could sign in, what to do first."""
    kit = kit_of(request)
    return show(
        request, "sign_in.html.j2", "Sign in", next=_inside(next), name="", wrong="", users=users.there_are(kit.db)
    )


@router.post("/sign-in")
def sign_in(
    request: Request,
    name: Text = "",
    password: Text = "",
    next: Annotated[str, Form(max_length=4_000)] = "/",  # noqa: A002
) -> Response:
    """A new session with a new id, and on to where somebody wanted to go."""
    kit = kit_of(request)
    values: dict[str, Any] = {"next": _inside(next), "name": name, "users": True}
    try:
        secret = kit.sign_ins.sign_in(name, password, request.client.host if request.client else "")
    except TooManyAttempts as error:
        answer = show(request, "sign_in.html.j2", "Sign in", status=429, wrong=error.message, **values)
        answer.headers["Retry-After"] = str(max(round(error.wait_s), 1))
        return answer
    if secret is None:
        wrong = "name or password is wrong"
        return show(request, "sign_in.html.j2", "Sign in", status=401, wrong=wrong, **values)
    return _with_session(request, RedirectResponse(_inside(next), 303), secret)


@router.post("/sign-out")
def sign_out(request: Request) -> Response:
    """End this session; the browser forgets what it kept of the pages."""
    kit = kit_of(request)
    if secret := request.cookies.get(cookie_name(kit.exposure)):
        kit.sign_ins.end(secret)
    answer = RedirectResponse("/sign-in", 303)
    answer.delete_cookie(cookie_name(kit.exposure), secure=kit.exposure == "tls", httponly=True)
    answer.headers["Clear-Site-Data"] = '"cache"'
    return answer


@router.get("/first-admin/{secret}")
def ask_first(request: Request, secret: str) -> Response:
    """The form of the link that `headrace up` prints."""
    good = users.is_invited(kit_of(request).db, secret)
    return show(
        request, "first_admin.html.j2", "First admin", status=200 if good else 410, good=good, name="", wrong=""
    )


@router.post("/first-admin/{secret}")
def make_first(request: Request, secret: str, name: Text = "", password: Text = "") -> Response:
    """The first admin, once."""
    kit = kit_of(request)
    try:
        user_id = users.accept(kit.db, secret, name, password, kit.sign_ins.passwords)
    except InputError as error:
        values = {"good": True, "name": name, "wrong": error.message}
        return show(request, "first_admin.html.j2", "First admin", status=422, **values)
    if user_id is None:
        return show(request, "first_admin.html.j2", "First admin", status=410, good=False, name="", wrong="")
    return _with_session(request, RedirectResponse("/", 303), kit.sign_ins.begin(user_id))


@router.get("/account")
def account(request: Request, person: Viewer) -> Response:
    """Who one is here, and a new password."""
    return show(request, "account.html.j2", "Your account", wrong="", done=False)


@router.post("/account")
def change_password(request: Request, person: Viewer, password: Text = "", new: Text = "") -> Response:
    """Another password for oneself, by the one of now; all other sign-ins end."""
    kit = kit_of(request)
    address = request.client.host if request.client else ""
    if kit.sign_ins.sign_in(person.name, password, address) is None:
        return show(
            request, "account.html.j2", "Your account", status=422, wrong="that is not the password of now", done=False
        )
    try:
        users.set_password(kit.db, person.name, kit.sign_ins.passwords.hashed(new))
    except InputError as error:
        return show(request, "account.html.j2", "Your account", status=422, wrong=error.message, done=False)
    answer = show(request, "account.html.j2", "Your account", wrong="", done=True)
    return _with_session(request, answer, kit.sign_ins.begin(person.user_id))


def _with_session(request: Request, answer: Response, secret: str) -> Response:
    kit = kit_of(request)
    life_s = int(kit.settings.web.sign_in_days * 86_400)
    name, secure = cookie_name(kit.exposure), kit.exposure == "tls"
    answer.set_cookie(name, secret, max_age=life_s, path="/", secure=secure, httponly=True, samesite="lax")
    return answer


def _inside(address: str) -> str:
    """Where to go on: an address of ours, or the start page. A link to a sign-in must not lead to another site."""
    parts = urlsplit(address)
    ours = not parts.scheme and not parts.netloc and address.startswith("/") and address[1:2] not in {"/", "\\"}
    return address if ours and not any(ord(sign) < 32 for sign in address) else "/"
