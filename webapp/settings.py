"""Django's settings: declarative, one file; every variable comes from `webapp.env`."""

import dj_database_url

from webapp.common.logs import configure_logs
from webapp.env import BASE_DIR, env

ENV = env()
DATA_DIR = ENV.data_dir.resolve()

DEBUG = ENV.debug
SECRET_KEY = ENV.resolved_secret_key
ALLOWED_HOSTS = ENV.allowed_hosts

INSTALLED_APPS = [
    "daphne",
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "django_tasks",
    "django_tasks_db",
    "webapp.common",
    "webapp.accounts",
    "webapp.fleet",
    "webapp.results",
    "webapp.events",
    "webapp.media",
    "webapp.jobs",
    "webapp.datasets",
    "webapp.inference",
    "webapp.batches",
    "webapp.review",
    "webapp.monitoring",
    "webapp.gateway",
    "webapp.dashboard",
    "webapp.api",
]

MIDDLEWARE = [
    "webapp.common.request_ids.RequestIds",
    "django.middleware.security.SecurityMiddleware",
    "webapp.common.csp.ContentSecurityPolicy",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "webapp.urls"
ASGI_APPLICATION = "webapp.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {
    "default": dj_database_url.parse(
        ENV.database_url or f"sqlite:///{DATA_DIR / 'hub.sqlite3'}",
        conn_max_age=600,
        conn_health_checks=True,
    ),
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",  # wait at BEGIN, not half way through
        "timeout": 20,
        # Two connections that checkpoint at once can corrupt the file with SQLite before 3.51.3
        # (the WAL-reset bug), so one process does it.
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-65536;"
            f"PRAGMA wal_autocheckpoint={1000 if ENV.sqlite_checkpoints else 0};"
        ),
    }
else:
    DATABASES["default"].setdefault("OPTIONS", {}).setdefault("connect_timeout", 5)
REDIS_URL = ENV.redis_url
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "overview"
LOGOUT_REDIRECT_URL = "login"

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},  # counts of exports must not be pushed out
    },
}

KEEP_DAYS = ENV.keep_days
ARCHIVE_AFTER_DAYS = ENV.archive_after_days
BUNDLES_DIR = (ENV.bundles_dir or DATA_DIR / "bundles").resolve()

TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["webapp.accounts.authentication.SessionLogin"],
    "DEFAULT_PERMISSION_CLASSES": ["webapp.accounts.permissions.IsMember"],
    "DEFAULT_PAGINATION_CLASS": "webapp.common.pagination.NewestFirst",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["webapp.common.parsers.BoundedJson"],
    "EXCEPTION_HANDLER": "webapp.common.problems.problem_response",
    "PAGE_SIZE": 50,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Farwatch",
    "DESCRIPTION": "Agents, cameras, results, samples and verdicts.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SERVE_PERMISSIONS": ["webapp.accounts.permissions.IsMember"],
    "SERVE_AUTHENTICATION": ["webapp.accounts.authentication.SessionLogin"],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "OAS_VERSION": "3.1.1",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "webapp.api.schema.finish_schema",
    ],
    "ENUM_NAME_OVERRIDES": {
        "CameraState": "webapp.fleet.models.Camera.State",
        "JobState": "webapp.jobs.models.Job.State",
        "BatchState": "webapp.batches.models.Batch.State",
        "SampleState": "webapp.datasets.models.Sample.State",
        "ReviewItemState": "webapp.review.models.ReviewItem.State",
    },
}

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = DATA_DIR / "static"
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # empty until `collectstatic`; must be there
WHITENOISE_USE_FINDERS = True  # no collectstatic step on one machine

STORAGES = {
    "default": {
        "BACKEND": "webapp.media.storage.DurableFolder",
        "OPTIONS": {"location": DATA_DIR / "media", "file_permissions_mode": 0o600},
    },
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = ENV.https
SECURE_HSTS_SECONDS = 31_536_000 if ENV.https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = ENV.https
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^metrics$"]  # asked by programs beside the hub, over HTTP
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ENV.https else None
CSRF_TRUSTED_ORIGINS = [f"https://{host}" for host in ALLOWED_HOSTS] if ENV.https else []

UNFOLD = {
    "SITE_TITLE": "Farwatch",
    "SITE_HEADER": "Farwatch",
    "SITE_ICON": "/static/img/mark.svg",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "/static/img/mark.svg"}],
    "SHOW_HISTORY": True,
}

TIER_URL = ENV.tier_url.rstrip("/")
TIER_PUBLIC_URL = ENV.tier_public_url.rstrip("/")
TIER_PRICE_PER_1000 = ENV.tier_price_per_1000
TIER_TOKEN = ENV.resolved_tier_token
TIER_AGENT_PICTURES_PER_S = ENV.tier_agent_pictures_per_s
METRICS_TOKEN = ENV.metrics_token
WEBHOOKS_MAY_BE_PRIVATE = ENV.webhooks_may_be_private
LOGGING_CONFIG = None
configure_logs(level=ENV.log_level, is_json=ENV.log_json)
