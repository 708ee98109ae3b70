from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("datasets", "0005_exports_of_sets"),)

    operations = (
        migrations.AddField(
            model_name="sample",
            name="embedding",
            field=models.BinaryField(null=True),
        ),
        migrations.AddField(
            model_name="sample",
            name="n_compared",
            field=models.PositiveSmallIntegerField(editable=False, null=True),
        ),
    )
