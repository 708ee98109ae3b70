"""Instants into buckets of seconds, by the database."""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BigIntegerField, Func
from django.db.models.sql.compiler import SQLCompiler


class BucketBegin(Func):
    """The Unix second at which the bucket of an instant begins; buckets count from 1970."""

    output_field = BigIntegerField()

    def __init__(self, instant: str, *, step_s: int) -> None:
        super().__init__(instant, step_s=int(step_s))

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **more: Any
    ) -> Any:
        template = "(floor(extract(epoch FROM %(expressions)s) / %(step_s)s) * %(step_s)s)::bigint"
        return self.as_sql(compiler, connection, template=template, **more)

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **more: Any) -> Any:
        template = "CAST(strftime('%%%%s', %(expressions)s) AS INTEGER) / %(step_s)s * %(step_s)s"
        return self.as_sql(compiler, connection, template=template, **more)
