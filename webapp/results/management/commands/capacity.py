"""`manage.py capacity`: nodes, cores, disk, network and money for so many requests a day."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import msgspec
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from webapp.results.capacity.assumptions import Assumptions, UnusableAssumption, all_assumed
from webapp.results.capacity.document import NoPlace, rewrite
from webapp.results.capacity.model import compute
from webapp.results.capacity.page import sections
from webapp.results.capacity.reports import NEEDED, UnreadableReport, read_measured
from webapp.results.capacity.tables import as_markdown, as_text


class Command(BaseCommand):
    """Needs no database."""

    help = "Compute from benchmarks' JSON what it takes to serve so many requests a day."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--from",
            dest="paths",
            nargs="+",
            type=Path,
            metavar="FILE.json",
            help=f"what `python -m benchmarks {'|'.join(NEEDED)} --json` printed;"
            " default: those recorded in benchmarks/recorded",
        )
        parser.add_argument("--json", action="store_true", help="one line of JSON")
        parser.add_argument("--write", type=Path, help="put it into this page, between its marks")
        for each in all_assumed(Assumptions()):
            parser.add_argument(
                each.option,
                type=float,
                default=each.value,
                metavar="N",
                help=f"{each.words} (%(default)g; {each.source})",
            )

    def handle(self, *_args: object, **options: Any) -> None:
        recorded = settings.BASE_DIR / "benchmarks" / "recorded"
        paths = options["paths"] or [recorded / f"{name}.json" for name in NEEDED]
        try:
            given = Assumptions(
                **{each.name: options[each.name] for each in all_assumed(Assumptions())}
            )
            measured = read_measured(paths)
            capacity = compute(measured, given)
            parts = list(sections(capacity, measured, given))
            if options["write"]:
                rewrite(options["write"], as_markdown(parts))
        except (UnusableAssumption, UnreadableReport, NoPlace) as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            answer = {"capacity": capacity, "assumed": given, "measured": measured._asdict()}
            self.stdout.write(msgspec.json.encode(answer).decode())
        elif not options["write"]:
            self.stdout.write(as_text(parts))
