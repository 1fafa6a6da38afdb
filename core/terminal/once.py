"""An option that holds one value is given once: the last of two would be taken, and the other lost without a word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typer.core import TyperCommand, TyperOption

from core.errors import ConfigError

if TYPE_CHECKING:
    from typer import Context


class OnceCommand(TyperCommand):
    """A command that refuses a repeated option, unless it is a flag or collects its values."""

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Parse as ever. Raises ConfigError: an option with one value stands twice."""
        if not ctx.resilient_parsing:
            _, _, given = self.make_parser(ctx).parse_args(args=list(args))
            for option in given:
                once = isinstance(option, TyperOption) and not (option.multiple or option.is_flag or option.count)
                if once and given.count(option) > 1:
                    raise ConfigError(f"{option.opts[-1]} is given twice; it takes one value, so give it once")
        return super().parse_args(ctx, args)
