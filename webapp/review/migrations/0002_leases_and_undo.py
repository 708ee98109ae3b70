import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("review", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="lease",
            name="claimed_at",
            field=models.DateTimeField(default=django.utils.timezone.now),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="lease",
            name="is_prepared",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="verdict",
            name="undone_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AlterField(
            model_name="verdict",
            name="outcome",
            field=models.CharField(
                choices=[
                    ("accepted", "Accepted as predicted"),
                    ("corrected", "Corrected"),
                    ("ambiguous", "Nobody can tell"),
                    ("passed", "Passed to somebody else"),
                ],
                max_length=16,
            ),
        ),
        migrations.AlterField(
            model_name="verdict",
            name="seconds",
            field=models.FloatField(null=True),
        ),
        migrations.AddConstraint(
            model_name="verdict",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("undone_at", None), models.Q(("outcome", "passed"), _negated=True)
                ),
                fields=("item",),
                name="item_decided_once",
            ),
        ),
        migrations.AddIndex(
            model_name="verdict",
            index=models.Index(fields=["by", "-created_at"], name="verdict_by_labeler"),
        ),
    ]
