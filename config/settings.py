"""Django's settings. What can be set from outside is read in `config.env`; docs/settings.md describes it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from config import env
from config.generated import generated
from config.postgres.address import database_at

BASE_DIR = env.BASE_DIR
DATA_DIR = env.DATA_DIR

# Secrets

SECRET_KEY: str = env.SECRET_KEY or generated("SECRET_KEY")
DATA_ENCRYPTION_KEYS: list[str] = env.DATA_ENCRYPTION_KEYS or generated("DATA_ENCRYPTION_KEYS")

# Who may call, and from where

DEBUG = False
ALLOWED_HOSTS = env.ALLOWED_HOSTS or (
    ["*"] if env.IS_TRIAL else [urlsplit(env.PUBLIC_URL).hostname or "", "localhost", "127.0.0.1", "[::1]"]
)
TRUSTED_PROXIES = env.TRUSTED_PROXIES
# `ForwardedHeaders` drops these headers unless a trusted proxy sent them.
USE_X_FORWARDED_HOST = True
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = env.IS_HTTPS
# Probes come from inside, without TLS.
SECURE_REDIRECT_EXEMPT = [r"^health/"]
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if env.IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.IS_HTTPS
SECURE_HSTS_PRELOAD = env.IS_HTTPS
SESSION_COOKIE_SECURE = env.IS_HTTPS
CSRF_COOKIE_SECURE = env.IS_HTTPS
CSRF_TRUSTED_ORIGINS = [env.PUBLIC_URL] if env.PUBLIC_URL else []
CSRF_FAILURE_VIEW = "apps.console.pages.stale_form"
X_FRAME_OPTIONS = "DENY"
CORS_ALLOWED_ORIGINS = env.CORS_ALLOWED_ORIGINS
# The widget answers for itself: which origins it serves depends on the key.
CORS_URLS_REGEX = r"^/(api/(?!widget/)|o/token/|o/revoke_token/)"
CORS_ALLOW_HEADERS = ("accept", "authorization", "content-type", "prefer", "x-api-key")
CORS_EXPOSE_HEADERS = ("preference-applied", "x-request-id")
MAX_BODY_BYTES = env.MAX_BODY_BYTES
# Django's own limit counts for the pages with forms; the API has its parser's.
DATA_UPLOAD_MAX_MEMORY_SIZE = env.MAX_BODY_BYTES

PARTICIPANT_TOKEN_HOURS = env.PARTICIPANT_TOKEN_HOURS

SESSION_ENGINE = "apps.access.sessions"
AUTH_USER_MODEL = "teams.User"
LOGIN_URL = "/admin/login/"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    # For client secrets alone, which are 256 random bits: see the class.
    "apps.access.hashers.Sha256OfRandom",
]
LOGIN_REDIRECT_URL = "/admin/"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# Parts

INSTALLED_APPS = [
    "apps.console",  # first: its templates refine unfold's
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "corsheaders",
    "rest_framework",
    "oauth2_provider",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "procrastinate.contrib.django",
    "apps.teams",
    "apps.chatbots",
    "apps.participants",
    "apps.schedules",
    "apps.access",
    "apps.api",
]

MIDDLEWARE = [
    "apps.api.middleware.RequestId",
    "apps.api.middleware.ForwardedHeaders",
    "apps.api.middleware.DatabaseOutage",
    "django.middleware.security.SecurityMiddleware",
    "apps.api.middleware.Cors",
    "django.middleware.common.CommonMiddleware",
    "apps.api.middleware.ForPages",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
# `ForPages` spares them the requests that bring a key or a token.
PAGE_MIDDLEWARE = [
    "apps.api.middleware.ContentSecurityPolicy",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
# That the admin's middleware is missing: it looks in MIDDLEWARE alone.
SILENCED_SYSTEM_CHECKS = ["admin.E408", "admin.E409", "admin.E410"]
# `/api/participants` and `/api/participants/` are two routes; nothing is redirected to a slash.
APPEND_SLASH = False

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

STATIC_URL = "static/"
# Served from where the packages keep them: there is no collecting step to forget.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False

LANGUAGE_CODE = "en"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# The database

DATABASES = {"default": database_at(env.DATABASE_URL)}
# `manage.py worker` puts it in the place of the other.
WORKER_DATABASE = database_at(env.WORKER_DATABASE_URL or env.DATABASE_URL)

# What goes out

WEBHOOK_ALLOW_PRIVATE_NETWORKS = env.WEBHOOK_ALLOW_PRIVATE_NETWORKS

# The API

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["apps.api.authentication.CallerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["apps.api.permissions.HasScope"],
    "DEFAULT_PARSER_CLASSES": ["apps.api.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["apps.api.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "apps.api.renderers.AlwaysJSON",
    "DEFAULT_METADATA_CLASS": "apps.api.metadata.Methods",
    "DEFAULT_SCHEMA_CLASS": "apps.api.openapi.Schema",
    "LIST_SERIALIZER_ERRORS_AS_DICT": True,
    "EXCEPTION_HANDLER": "apps.api.errors.handle",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}

# The contract's, word for word.
SECURITY_SCHEMES: dict[str, Any] = {
    "OAuth2": {
        "type": "oauth2",
        "flows": {
            "authorizationCode": {
                "authorizationUrl": "/o/authorize/",
                "tokenUrl": "/o/token/",
                "scopes": {
                    "participants:read": "Read participants, their data and their schedules",
                    "participants:write": "Create and change participants, their data and their schedules",
                },
            }
        },
    },
    "apiKeyAuth": {"type": "apiKey", "in": "header", "name": "X-api-key"},
    "cookieAuth": {"type": "apiKey", "in": "cookie", "name": "sessionid"},
    "embedKeyAuth": {"type": "apiKey", "in": "header", "name": "X-Embed-Key"},
    "tokenAuth": {"type": "http", "scheme": "bearer"},
}

OAUTH2_PROVIDER_APPLICATION_MODEL = "access.Application"
OAUTH2_PROVIDER_GRANT_MODEL = "access.Grant"
OAUTH2_PROVIDER_ACCESS_TOKEN_MODEL = "access.AccessToken"  # noqa: S105 (a model)
OAUTH2_PROVIDER_REFRESH_TOKEN_MODEL = "access.RefreshToken"  # noqa: S105 (a model)
OAUTH2_PROVIDER_ID_TOKEN_MODEL = "access.IDToken"  # noqa: S105 (a model)
OAUTH2_PROVIDER = {
    "OAUTH2_BACKEND_CLASS": "apps.access.oauth.Backend",
    "OAUTH2_VALIDATOR_CLASS": "apps.access.oauth.Validator",
    "SCOPES": SECURITY_SCHEMES["OAuth2"]["flows"]["authorizationCode"]["scopes"],
    "DEFAULT_SCOPES": ["participants:read"],
    "ACCESS_TOKEN_GENERATOR": "apps.access.oauth.new_access_token",
    "REFRESH_TOKEN_GENERATOR": "apps.access.oauth.new_refresh_token",
    "CLIENT_SECRET_HASHER": "sha256_of_random",
    "ACCESS_TOKEN_EXPIRE_SECONDS": 3600,
    "REFRESH_TOKEN_EXPIRE_SECONDS": 30 * 24 * 3600,
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    # Plain http only where the service itself has no TLS.
    "ALLOWED_REDIRECT_URI_SCHEMES": ["https"] if env.IS_HTTPS else ["http", "https"],
    "OIDC_ISS_ENDPOINT": env.PUBLIC_URL,
    "OAUTH2_RESPONSE_TYPES_SUPPORTED": ["code"],
    "OAUTH2_GRANT_TYPES_SUPPORTED": ["authorization_code", "client_credentials", "refresh_token"],
    "OAUTH2_PROTECTED_RESOURCE_NAME": "Participants",
    **{
        f"COMPLIANT_BCP_RFC9700_{name}": True
        for name in (
            "IMPLICIT_GRANT",
            "PASSWORD_GRANT",
            "PKCE_METHOD",
            "PKCE_REQUIRED",
            "ACCESS_TOKEN_TRANSPORT",
            "AUTHZ_RESPONSE_ISS",
            "TOKEN_STORAGE",
            "REFRESH_TOKEN",
            "REDIRECT_URI_SCHEME",
            "REDIRECT_URI_MATCHING",
        )
    },
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Open Chat Studio",
    "VERSION": "1",
    "DESCRIPTION": "Build, deploy and monitor chatbots.",
    "TAGS": [
        {"name": "Participants", "description": "Manage participants, their data, and their schedules."},
        {"name": "Schedules", "description": "When chatbots are prompted, and what became of it."},
        {"name": "Widget", "description": "What a visitor's page does for that visitor alone."},
    ],
    "AUTHENTICATION_WHITELIST": [],
    "APPEND_COMPONENTS": {"securitySchemes": SECURITY_SCHEMES},
    "PREPROCESSING_HOOKS": ["apps.api.openapi.without_aliases"],
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {
        "deepLinking": True,
        "persistAuthorization": True,
        "displayRequestDuration": True,
        "tryItOutEnabled": True,
    },
    "SWAGGER_UI_OAUTH2_CONFIG": {
        "clientId": "api-docs",
        "scopes": "participants:read participants:write",
        "usePkceWithAuthorizationCodeGrant": True,
    },
}

# What is logged: events with ids, never a secret, an identifier or participant data.

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"request_id": {"()": "config.logs.RequestIdFilter"}},
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s"},
    },
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["request_id"]},
    },
    "root": {"handlers": ["console"], "level": env.LOG_LEVEL},
    "loggers": {
        "django": {"handlers": [], "propagate": True, "level": "INFO"},
        # Refused requests are the callers' affair; they would fill the log.
        "django.request": {"level": "ERROR"},
        "django.security": {"level": "CRITICAL"},
        # Every periodic job says that it starts and ends.
        "procrastinate": {"level": "WARNING"},
    },
}

UNFOLD = {
    "SITE_TITLE": "Open Chat Participants",
    "SITE_HEADER": "Open Chat Participants",
    "SITE_SUBHEADER": "apps.console.navigation.team_name",
    "SITE_SYMBOL": "forum",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "apps.console.navigation.icon"}],
    "BORDER_RADIUS": "6px",
    "COLORS": {
        "primary": {
            "50": "#f0fdfa",
            "100": "#ccfbf1",
            "200": "#99f6e4",
            "300": "#5eead4",
            "400": "#2dd4bf",
            "500": "#14b8a6",
            "600": "#0f766e",  # what white text stands on: 5.5 to 1
            "700": "#115e59",
            "800": "#134e4a",
            "900": "#0f3f3c",
            "950": "#042f2e",
        }
    },
    "SITE_URL": "/",
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "STYLES": ["apps.console.navigation.stylesheet"],
    "SIDEBAR": {"navigation": "apps.console.navigation.sidebar"},
}
