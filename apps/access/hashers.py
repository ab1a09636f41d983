"""How OAuth2 client secrets are stored."""

from __future__ import annotations

import hashlib
from typing import Any

from django.contrib.auth.hashers import BasePasswordHasher
from django.utils.crypto import constant_time_compare


class Sha256OfRandom(BasePasswordHasher):
    """SHA-256, once, for secrets that we made from 256 random bits and more.

    Nobody can try those out, so a slow hash would only make each token request slow. It must never
    see a password: `encode` refuses what is short enough to have been thought up.
    """

    algorithm = "sha256_of_random"
    SHORTEST = 43

    def salt(self) -> str:
        return ""

    def encode(self, password: str, salt: str) -> str:
        if len(password) < self.SHORTEST:
            raise ValueError("Only long random secrets may be stored with a fast hash.")
        return f"{self.algorithm}$${self._digest(password)}"

    def decode(self, encoded: str) -> dict[str, Any]:
        algorithm, _, digest = encoded.split("$", 2)
        return {"algorithm": algorithm, "hash": digest}

    def verify(self, password: str, encoded: str) -> bool:
        return constant_time_compare(self.decode(encoded)["hash"], self._digest(password))

    def safe_summary(self, encoded: str) -> dict[Any, Any]:
        return {"algorithm": self.algorithm}

    def must_update(self, encoded: str) -> bool:
        return False

    def harden_runtime(self, password: str, encoded: str) -> None:
        """There is no cost to hide."""

    def _digest(self, secret: str) -> str:
        return hashlib.sha256(secret.encode()).hexdigest()
