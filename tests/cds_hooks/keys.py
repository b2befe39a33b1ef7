"""A record system that signs its calls."""

import json
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

ISSUER = "https://ehr.example.org"
BASE = "https://kb.example.org"


@dataclass
class RecordSystem:
    """Its keys, and tokens made with them."""

    curve: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP384R1()))
    modulus: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))

    def jwks(self) -> str:
        public = (
            json.loads(ECAlgorithm.to_jwk(self.curve.public_key())) | {"kid": "ec", "alg": "ES384", "use": "sig"},
            json.loads(RSAAlgorithm.to_jwk(self.modulus.public_key())) | {"kid": "rsa", "alg": "RS384", "use": "sig"},
        )
        return json.dumps({"keys": public})

    def write(self, directory: Path) -> Path:
        path = directory / "jwks.json"
        path.write_text(self.jwks())
        return path

    def claims(self, path: str, **changed: Any) -> dict[str, Any]:
        """Claims of a good token, changed; what is changed to None is left out."""
        now = int(time.time())
        good = {"iss": ISSUER, "aud": f"{BASE}{path}", "iat": now, "exp": now + 300, "jti": str(uuid.uuid4())}
        return {name: value for name, value in (good | changed).items() if value is not None}

    def token(self, path: str, *, alg: str = "ES384", key: Any = None, headers: Any = None, **changed: Any) -> str:
        own: dict[str, Any] = {"ES384": self.curve, "RS384": self.modulus}
        signing = key or own[alg]
        named = {"kid": {"ES384": "ec", "RS384": "rsa"}.get(alg, "ec")} | (headers or {})
        kept = {name: value for name, value in named.items() if value is not None}
        return jwt.encode(self.claims(path, **changed), signing, algorithm=alg, headers=kept)
