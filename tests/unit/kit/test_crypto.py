"""Keys, seals, tokens and signatures."""

import base64
import hmac
import json
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import OctKey
from tests.fakes.clock import START

from stagewright.kit.crypto import (
    AttemptClaims,
    BadKeys,
    BadSignature,
    Keyring,
    KeyUnknown,
    MacSigner,
    Sealer,
    TokenInvalid,
    TokenSigner,
    Undecryptable,
    equal,
    hash_secret,
    hmac_sha256_header,
    hmac_sha256_matches,
    is_api_token,
    make_api_token,
    new_secret,
)

OLD, NEW = Keyring.generate("old"), Keyring.generate("new")
RING = Keyring.parse(NEW)
BOTH = Keyring.parse(f"{NEW},{OLD}")
CLAIMS = AttemptClaims(
    jti="j1",
    run=UUID(int=1),
    attempt=UUID(int=2),
    generation=3,
    project=UUID(int=4),
    issued_at=START,
    expires_at=START + timedelta(minutes=10),
)


def a_signer(ring: Keyring = RING, *, audience: str = "run", issuer: str = "stagewright/i1") -> TokenSigner:
    return TokenSigner(ring, purpose=f"token-{audience}", audience=audience, issuer=issuer)


class TestKeyring:
    def test_the_first_key_is_current_and_others_stay_known(self) -> None:
        assert BOTH.current == "new"
        assert BOTH.ids == ("new", "old")
        assert BOTH.derive("vault", "old") == Keyring.parse(OLD).derive("vault")

    def test_every_purpose_has_its_own_key(self) -> None:
        assert len({RING.derive(purpose) for purpose in ("token-run", "token-tools", "csrf", "vault")}) == 4

    def test_derivation_never_changes_between_releases(self) -> None:
        ring = Keyring.parse("k1:" + base64.b64encode(bytes(32)).decode())
        extracted = hmac.digest(bytes(32), bytes(32), "sha256")
        assert ring.derive("vault") == hmac.digest(extracted, b"stagewright/1/vault\x01", "sha256")

    def test_urlsafe_base64_is_read_too(self) -> None:
        text = base64.urlsafe_b64encode(b"\xff" * 32).decode()
        assert Keyring.parse(f"k1:{text}").derive("vault") == Keyring({"k1": b"\xff" * 32}).derive("vault")

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("", "no root key"),
            (" , ", "no root key"),
            ("AAAA", "root key 1 has no id"),
            (f"{NEW},{NEW}", "new stands twice"),
            ("k1:&&&&", "root key k1 is not base64"),
            ("k1:c2hvcnQ=", "root key k1 holds 5 bytes, not 32"),
            (f"{NEW},bad id:AAAA", "root key 2 has no id"),
        ],
        ids=["nothing", "commas", "no id", "twice", "not base64", "short", "second without id"],
    )
    def test_a_malformed_list_is_refused_with_its_place_and_without_values(self, text: str, says: str) -> None:
        with pytest.raises(BadKeys, match=says) as caught:
            Keyring.parse(text)
        for value in ("c2hvcnQ", "&&&&", NEW.partition(":")[2]):
            assert value not in str(caught.value)

    def test_an_unknown_key_names_the_setting(self) -> None:
        with pytest.raises(KeyUnknown, match="STAGEWRIGHT_ROOT_KEYS"):
            RING.derive("vault", "old")

    def test_its_representation_shows_no_key(self) -> None:
        assert repr(BOTH) == "Keyring(new, old)"


class TestSealer:
    @given(st.binary(max_size=200), st.text(max_size=20))
    def test_what_was_sealed_opens_in_its_place(self, plaintext: bytes, context: str) -> None:
        sealer = Sealer(RING, "vault")
        assert sealer.open(sealer.seal(plaintext, context=context), context=context) == plaintext

    def test_two_seals_of_one_value_differ(self) -> None:
        sealer = Sealer(RING, "vault")
        assert sealer.seal(b"x", context="a") != sealer.seal(b"x", context="a")

    @pytest.mark.parametrize("other", [Sealer(RING, "vault"), Sealer(RING, "other")])
    def test_it_opens_in_no_other_place_and_for_no_other_purpose(self, other: Sealer) -> None:
        blob = Sealer(RING, "vault").seal(b"x", context="credentials/1")
        with pytest.raises(Undecryptable):
            other.open(blob, context="credentials/2")

    def test_every_changed_bit_is_noticed(self) -> None:
        sealer = Sealer(RING, "vault")
        blob = sealer.seal(b"secret", context="a")
        for position in range(len(blob)):
            changed = bytearray(blob)
            changed[position] ^= 1
            with pytest.raises((Undecryptable, KeyUnknown)):
                sealer.open(bytes(changed), context="a")
        for length in range(len(blob)):
            with pytest.raises(Undecryptable):
                sealer.open(blob[:length], context="a")

    def test_an_old_key_opens_and_rotation_moves_to_the_current_one(self) -> None:
        blob = Sealer(Keyring.parse(OLD), "vault").seal(b"x", context="a")
        sealer = Sealer(BOTH, "vault")
        assert sealer.key_id(blob) == "old"
        assert sealer.needs_rotation(blob)
        rotated = sealer.rotate(blob, context="a")
        assert not sealer.needs_rotation(rotated)
        assert Sealer(RING, "vault").open(rotated, context="a") == b"x"

    def test_a_missing_key_is_named(self) -> None:
        blob = Sealer(Keyring.parse(OLD), "vault").seal(b"x", context="a")
        with pytest.raises(KeyUnknown, match="old"):
            Sealer(RING, "vault").open(blob, context="a")


class TestTokens:
    def test_a_token_carries_exactly_its_claims(self) -> None:
        token = a_signer().sign(CLAIMS)
        assert a_signer().verify(token, now=START) == CLAIMS
        body = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
        assert set(body) == {"iss", "aud", "sub", "jti", "iat", "nbf", "exp", "run", "attempt", "generation", "project"}

    def test_a_token_of_a_previous_root_key_still_counts(self) -> None:
        assert a_signer(BOTH).verify(a_signer(Keyring.parse(OLD)).sign(CLAIMS), now=START) == CLAIMS

    @pytest.mark.parametrize(
        "other",
        [
            a_signer(audience="tools"),
            a_signer(issuer="stagewright/i2"),
            a_signer(Keyring.parse(OLD)),
            TokenSigner(RING, purpose="token-tools", audience="run", issuer="stagewright/i1"),
            TokenSigner(RING, purpose="token-run", audience="tools", issuer="stagewright/i1"),
        ],
    )
    def test_a_token_of_another_class_key_or_installation_is_refused(self, other: TokenSigner) -> None:
        with pytest.raises(TokenInvalid):
            a_signer().verify(other.sign(CLAIMS), now=START)

    @pytest.mark.parametrize(
        ("moment", "counts"),
        [(-31, False), (-30, True), (0, True), (600, True), (629, True), (630, False), (9999, False)],
    )
    def test_times_are_checked_with_half_a_minute_of_leeway(self, moment: int, counts: bool) -> None:
        token, now = a_signer().sign(CLAIMS), START + timedelta(seconds=moment)
        if counts:
            assert a_signer().verify(token, now=now)
        else:
            with pytest.raises(TokenInvalid):
                a_signer().verify(token, now=now)

    @pytest.mark.parametrize("alg", ["none", "HS384", "HS512"])
    def test_another_algorithm_is_refused(self, alg: str) -> None:
        header, body, _ = a_signer().sign(CLAIMS).split(".")
        if alg == "none":
            forged = base64.urlsafe_b64encode(b'{"alg":"none","kid":"new"}').decode().rstrip("=") + f".{body}."
        else:
            claims = json.loads(base64.urlsafe_b64decode(body + "=="))
            key = OctKey.import_key(RING.derive("token-run") * 2)
            forged = jwt.encode({"alg": alg, "kid": "new"}, claims, key, algorithms=[alg])
        for text in (forged, f"{header}.{body}.", f"{header}.{body}.AAAA"):
            with pytest.raises(TokenInvalid):
                a_signer().verify(text, now=START)

    @pytest.mark.parametrize(
        "name", ["iss", "aud", "sub", "jti", "iat", "nbf", "exp", "run", "attempt", "generation", "project"]
    )
    @pytest.mark.parametrize("value", [None, "", [], True, -1, 1e400, "attempt:other"])
    def test_every_claim_is_needed_in_its_form(self, name: str, value: object) -> None:
        claims = json.loads(base64.urlsafe_b64decode(a_signer().sign(CLAIMS).split(".")[1] + "=="))
        claims[name] = value
        if value is None:
            del claims[name]
        key = OctKey.import_key(RING.derive("token-run"))
        forged = jwt.encode({"alg": "HS256", "kid": "new"}, claims, key, algorithms=["HS256"])
        if (name, value) == ("jti", "attempt:other"):
            assert a_signer().verify(forged, now=START)
            return
        with pytest.raises(TokenInvalid):
            a_signer().verify(forged, now=START)

    @pytest.mark.parametrize(
        "header",
        [
            '{"alg":"HS256"}',
            '{"alg":"HS256","kid":7}',
            '{"alg":"HS256","kid":"gone"}',
            '{"alg":"HS256","kid":"new","crit":1}',
            '{"alg":"HS256","kid":"new","crit":[[]]}',
            "[" * 2000,
        ],
    )
    def test_a_header_that_is_not_ours_is_refused(self, header: str) -> None:
        _, body, tag = a_signer().sign(CLAIMS).split(".")
        forged = base64.urlsafe_b64encode(header.encode()).decode().rstrip("=") + f".{body}.{tag}"
        with pytest.raises(TokenInvalid):
            a_signer().verify(forged, now=START)

    @given(st.text(max_size=60))
    def test_any_other_text_is_refused_in_the_same_words(self, text: str) -> None:
        for candidate in (text, "." + text + ".", text * 200):
            with pytest.raises(TokenInvalid) as caught:
                a_signer().verify(candidate, now=START)
            assert caught.value.message == "the token does not count here: get the attempt's present one"
            assert caught.value.stable_code == "token.invalid"

    def test_generation_zero_is_a_generation(self) -> None:
        claims = replace(CLAIMS, generation=0)
        assert a_signer().verify(a_signer().sign(claims), now=START) == claims


class TestMacs:
    @given(st.binary(max_size=100))
    def test_a_signed_value_comes_back(self, payload: bytes) -> None:
        signer = MacSigner(RING, "cursor")
        assert signer.verify(signer.sign(payload)) == payload

    def test_a_changed_cut_or_foreign_value_is_refused(self) -> None:
        signer = MacSigner(RING, "cursor")
        signed = signer.sign(b"payload")
        wrong = [signed[:-1], signed + b"x", b"", b"\xff", bytes(40), MacSigner(RING, "csrf").sign(b"payload")]
        wrong += [signed[:i] + bytes([signed[i] ^ 1]) + signed[i + 1 :] for i in range(len(signed))]
        for candidate in wrong:
            with pytest.raises(BadSignature):
                signer.verify(candidate)

    def test_a_signature_outlives_a_rotation(self) -> None:
        assert MacSigner(BOTH, "cursor").verify(MacSigner(Keyring.parse(OLD), "cursor").sign(b"p")) == b"p"


class TestSecrets:
    def test_secrets_hold_256_bits_and_differ(self) -> None:
        assert len({new_secret() for _ in range(50)}) == 50
        assert len(base64.urlsafe_b64decode(new_secret() + "=")) == 32

    def test_hash_is_sha256(self) -> None:
        assert hash_secret("abc").hex().startswith("ba7816bf8f01cfea")

    def test_equal_compares_text_and_bytes(self) -> None:
        assert equal("ключ", "ключ".encode())
        assert not equal("a", "b")

    def test_api_tokens_have_a_form_and_a_checksum(self) -> None:
        token = make_api_token()
        assert token.startswith("swt_")
        assert len(token) == 4 + 43 + 6
        assert is_api_token(token)
        last = "A" if token[-1] != "A" else "B"
        for wrong in (token[:-1] + last, token[:-1], token + "A", token.replace("swt_", "swx_"), "swt_", token + "\n"):
            assert not is_api_token(wrong)

    def test_a_webhook_signature_fits_any_live_secret(self) -> None:
        raw = b'{"zen":"\xd0\xb9"}'
        for secret in (b"one", b"two"):
            assert hmac_sha256_matches([b"one", b"two"], raw, hmac_sha256_header(secret, raw))

    @pytest.mark.parametrize(
        "header",
        [None, "", "sha256=", "sha1=" + "0" * 40, "sha256=" + "0" * 64, "sha256=" + "g" * 64, "sha256=" + "0" * 63],
    )
    def test_any_other_signature_is_refused(self, header: str | None) -> None:
        assert not hmac_sha256_matches([b"one"], b"raw", header)

    def test_an_empty_secret_signs_nothing(self) -> None:
        assert not hmac_sha256_matches([b""], b"raw", hmac_sha256_header(b"", b"raw"))
        assert not hmac_sha256_matches([], b"raw", hmac_sha256_header(b"one", b"raw"))

    def test_known_answer_of_the_forge_documentation(self) -> None:
        header = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
        assert hmac_sha256_matches([b"It's a Secret to Everybody"], b"Hello, World!", header)
