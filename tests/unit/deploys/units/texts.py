"""Mistakes in units, secrets and images, and what a person reads about each: one sentence a line. Line 6 is the first."""

from collections.abc import Mapping
from typing import Any

from tests.unit.deploys.preparing import CANDIDATE, LIVE, Entries

from stagewright.contexts.deploys.model.inputs import Selection
from stagewright.contexts.deploys.model.sources import ConfigEntry, ConfigKind, Scope

DIGEST = "sha256:" + "a" * 64


class Digests:
    """A ``DigestResolver`` that knows every tag, or those it is given."""

    def __init__(self, known: Mapping[str, str] | None = None) -> None:
        self.known = known

    def resolve(self, reference: str) -> str | None:
        """Return the digest; of the platform's own registry only what is listed."""
        if self.known is not None:
            return self.known.get(reference)
        return None if reference.startswith("registry.example.org/") else DIGEST


OFFLINE = Entries(known=False)


def an_entry(key: str = "A_KEY", **changes: Any) -> ConfigEntry:
    """An entry of the configuration that may enter everywhere."""
    usual: dict[str, Any] = {"kind": ConfigKind.SECRET, "scope": Scope.PROJECT, "environment": "*", "version": 1}
    everywhere = frozenset({"production", "persistent", "candidate"})
    return ConfigEntry(key=key, **{**usual, "audience": everywhere, **changes})


FROM = "  secrets: [{name: pay, keys: {API: {from: {config: PAY_KEY}}}}]\n"

SECRETS: dict[str, tuple[str, Selection, dict[str, Any], list[str]]] = {
    "unresolved offline": (
        FROM,
        CANDIDATE,
        {"config": OFFLINE},
        ["secret_unresolved services.yaml:6: which entry 'PAY_KEY' comes from is not known offline; plan against a server to see"],
    ),
    "unresolved": (
        FROM,
        CANDIDATE,
        {},
        ["secret_unresolved services.yaml:6: no value of 'PAY_KEY' is found for 'preview'; tried: PAY_KEY for preview in repository; PAY_KEY for preview in project; PAY_KEY for preview in platform; PAY_KEY for * in repository; PAY_KEY for * in project; PAY_KEY for * in platform"],
    ),
    "may not enter": (
        FROM,
        CANDIDATE,
        {"config": Entries(an_entry("PAY_KEY", audience=frozenset({"production"})))},
        ["secret_audience services.yaml:6: the value of 'PAY_KEY' for * in project may not enter environments of the kind candidate; widen its audience, or bind another value to 'preview'"],
    ),
    "cannot be decrypted": (
        FROM,
        CANDIDATE,
        {"config": Entries(an_entry("PAY_KEY", version=3, readable=False))},
        ["value_undecryptable services.yaml:6: the value of PAY_KEY for * in project, version 3, cannot be decrypted; restore the key that encrypted it, or set the value anew"],
    ),
    "a key missing for its type": (
        "  secrets: [{name: web, type: kubernetes.io/tls, keys: {tls.key: {generate: {kind: rsa}}}}]\n",
        CANDIDATE,
        {},
        ["secret_key_name services.yaml:6: a secret of the type kubernetes.io/tls needs the key 'tls.crt'; declare it, or use Opaque"],
    ),
    "a short rsa key": (
        "  secrets: [{name: web, keys: {A: {generate: {kind: rsa, length: 512}}}}]\n",
        CANDIDATE,
        {},
        ["bad_value services.yaml:6: an rsa key has 2048, 3072 or 4096 bits, not 512"],
    ),
    "an alphabet of a number": (
        "  secrets: [{name: web, keys: {A: {generate: {kind: hex, alphabet: abcdefghijk}}}}]\n",
        CANDIDATE,
        {},
        ["bad_value services.yaml:6: only a password has an alphabet, and this is a value of the kind hex; remove one of them"],
    ),
    "a small alphabet": (
        "  secrets: [{name: web, keys: {A: {generate: {kind: password, alphabet: aab}}}}]\n",
        CANDIDATE,
        {},
        ["bad_value services.yaml:6: the alphabet 'aab' must be at least 10 different characters of ASCII, each once and none of them a space"],
    ),
    "composed of an unknown key": (
        "  secrets: [{name: web, keys: {A: {generate: {kind: hex}}, B: {compose: 'x{{ keys.C }}'}}}]\n",
        CANDIDATE,
        {},
        ["secret_compose services.yaml:6: the secret 'web' has no key 'C'; its other keys: A"],
    ),
    "composed in a circle": (
        "  secrets:\n    - name: web\n      keys:\n        A: {compose: '{{ keys.B }}'}\n        B: {compose: '{{ keys.A }}'}\n",
        CANDIDATE,
        {},
        ["secret_compose services.yaml:10: the texts of the secret 'web' need each other: A -> B -> A; write one of them out"],
    ),
    "a value changed while composing": (
        "  secrets: [{name: web, keys: {A: {generate: {kind: hex}}, B: {compose: '{{ keys.A | upper }}'}}}]\n",
        CANDIDATE,
        {},
        ['secret_compose services.yaml:6: a key can only be inserted, as {{ keys.NAME }} or {{ keys["NAME"] }}; filters and operators see no value'],
    ),
    "copied from nowhere": (
        "  secrets: [{name: web, keys: {A: {copy: {environment: live, secret: none, key: A}}}}]\n",
        CANDIDATE,
        {},
        ["unknown_secret services.yaml:6: no secret 'none' is declared; declared: web"],
    ),
    "copied from no key": (
        "  secrets: [{name: web, keys: {A: {copy: {environment: live, secret: web, key: B}}}}]\n",
        CANDIDATE,
        {},
        ["unknown_secret services.yaml:6: the secret 'web' has no key 'B'; its keys: A"],
    ),
    "copied into a candidate though not shareable": (
        "  secrets:\n    - {name: one, keys: {A: {generate: {kind: hex}}}}\n    - {name: two, keys: {A: {copy: {environment: live, secret: one, key: A}}}}\n",
        CANDIDATE,
        {},
        ["secret_copy_refused services.yaml:8: 'A' of 'one' may not be copied into a candidate environment, where agents read it; set shareable: true there, or generate a value"],
    ),
    "copied from a candidate into production": (
        "  secrets:\n    - {name: one, keys: {A: {generate: {kind: hex}, shareable: true}}}\n    - {name: two, keys: {A: {copy: {environment: preview, secret: one, key: A}}}}\n",
        LIVE,
        {},
        ["secret_copy_refused services.yaml:8: production never copies from a candidate environment, and 'preview' is one"],
    ),
    "copied from where it is not written": (
        "  secrets:\n    - {name: one, environments: [preview], keys: {A: {generate: {kind: hex}, shareable: true}}}\n    - {name: two, keys: {A: {copy: {environment: live, secret: one, key: A}}}}\n",
        CANDIDATE,
        {},
        ["secret_copy_refused services.yaml:8: the secret 'one' is not written in 'live'; copy from where it is"],
    ),
    "copied in a circle": (
        "  secrets: [{name: one, keys: {A: {shareable: true, copy: {environment: live, secret: one, key: A}}}}]\n",
        LIVE,
        {},
        ["secret_copy_cycle services.yaml:6: the copies go in a circle: live/one/A -> live/one/A; give one of them a value of its own"],
    ),
}  # fmt: skip

ONE = "  services: [{name: api, manifests: [{path: a.yaml}], %s}]\n"
REFERENCES: dict[str, tuple[str, Selection, dict[str, Any], list[str]]] = {
    "two units of one name": (
        "  infrastructure: [{name: api}]\n" + ONE % "when: true",
        CANDIDATE,
        {},
        ["duplicate_name services.yaml:7: two units are called 'api'; services and infrastructure share their names"],
    ),
    "an unknown component": (
        ONE % "use: [fast]",
        CANDIDATE,
        {},
        ["unknown_component services.yaml:6: no component 'fast' is declared; declared: none"],
    ),
    "a component that nobody uses": (
        "  components: [{name: fast, defaults: {deployGroup: default}}]\n",
        CANDIDATE,
        {},
        ["unused_component services.yaml:6: no service uses the component 'fast'; remove it"],
    ),
    "a service without manifests": (
        "  services: [{name: api}]\n  infrastructure: [{name: net}]\n",
        CANDIDATE,
        {},
        ["no_manifests services.yaml:6: the service 'api' has no manifests; name at least one file of Kubernetes objects"],
    ),
    "a strategy without sync": (
        ONE % "codeUpdateStrategy: restart",
        CANDIDATE,
        {},
        ["sync_required services.yaml:6: the strategy 'restart' of 'api' needs sync: which files go where"],
    ),
    "files synced out of the repository": (
        ONE % "sync: {paths: [../src], container: api, mountPath: /app}",
        CANDIDATE,
        {},
        ["sync_path services.yaml:6: '../src' leads out of the repository; name a file or directory inside of it"],
    ),
    "the whole repository synced": (
        ONE % "sync: {paths: [.], container: api, mountPath: /app}",
        CANDIDATE,
        {},
        ["sync_path services.yaml:6: '.' is the whole repository; name a file or directory inside of it"],
    ),
    "files synced over the system": (
        ONE % "sync: {paths: [src], container: api, mountPath: /usr/lib/app}",
        CANDIDATE,
        {},
        ["sync_path services.yaml:6: '/usr/lib/app' is a directory of the system; mount the files at a directory of their own, like /app/src"],
    ),
    "files synced to the root": (
        ONE % "sync: {paths: [src], container: api, mountPath: /}",
        CANDIDATE,
        {},
        ["sync_path services.yaml:6: '/' is the root of the container; mount the files at a directory of their own, like /app/src"],
    ),
    "files synced to a relative path": (
        ONE % "sync: {paths: [src], container: api, mountPath: app}",
        CANDIDATE,
        {},
        ["sync_path services.yaml:6: 'app' is no absolute path; mount the files at a directory of their own, like /app/src"],
    ),
    "files synced upwards": (
        ONE % "sync: {paths: [src], container: api, mountPath: /app/../etc}",
        CANDIDATE,
        {},
        ["sync_path services.yaml:6: '/app/../etc' contains ..; mount the files at a directory of their own, like /app/src"],
    ),
    "a public candidate": (
        ONE % "expose: [{service: api, port: 80, access: public}]",
        CANDIDATE,
        {},
        ["expose_public services.yaml:6: 'api' opens '/' to everybody in a candidate environment; remove access, or let the project's owner allow public_slots"],
    ),
    "public paths of a candidate": (
        ONE % "expose: [{service: api, port: 80, publicPaths: [/health]}]",
        CANDIDATE,
        {},
        ["expose_public services.yaml:6: 'api' opens '/' to everybody in a candidate environment; remove publicPaths, or let the project's owner allow public_slots"],
    ),
    "public in production": (ONE % "expose: [{service: api, port: 80, access: public}]", LIVE, {}, []),
    "an environment of a variable": (
        "  vars: {level: {default: a, environments: {nowhere: b}}}\n",
        CANDIDATE,
        {},
        ["unknown_environment services.yaml:6: no environment 'nowhere' is declared; declared: live, preview"],
    ),
    "an environment of a secret": (
        "  secrets: [{name: s, environments: [nowhere], keys: {A: {generate: {kind: hex}}}}]\n",
        CANDIDATE,
        {},
        ["unknown_environment services.yaml:6: no environment 'nowhere' is declared; declared: live, preview"],
    ),
    "an environment to copy from": (
        "  secrets: [{name: s, keys: {A: {copy: {environment: nowhere, secret: s, key: A}}}}]\n",
        CANDIDATE,
        {},
        ["unknown_environment services.yaml:6: no environment 'nowhere' is declared; declared: live, preview"],
    ),
    "a repository of a document": (
        "  projectDocs: [{path: a.md, repository: wiki, description: text}]\n",
        CANDIDATE,
        {},
        ["unknown_repository services.yaml:6: no repository 'wiki' is declared; declared: main"],
    ),
    "an alias that is an environment": (
        "  secretResolution: {environmentAliases: {live: [preview]}}\n",
        CANDIDATE,
        {},
        ["alias_conflict services.yaml:6: the alias 'preview' is itself the name of an environment; choose another alias"],
    ),
    "an alias of two environments": (
        "  secretResolution: {environmentAliases: {live: [main], preview: [main]}}\n",
        CANDIDATE,
        {},
        ["alias_conflict services.yaml:6: the alias 'main' stands for 'live' and 'preview'; keep one of them"],
    ),
    "an alias of nothing": (
        "  secretResolution: {environmentAliases: {nowhere: [main]}}\n",
        CANDIDATE,
        {},
        ["unknown_environment services.yaml:6: no environment 'nowhere' is declared; declared: live, preview"],
    ),
    "two overrides of one key": (
        "  secretResolution:\n    keyOverrides:\n      - {sourceKey: A, overrideKeys: {live: B}}\n      - {sourceKey: A, overrideKeys: {preview: C}}\n",
        CANDIDATE,
        {},
        ["override_ambiguous services.yaml:9: 'A' has two entries in keyOverrides; make one of them"],
    ),
    "two overrides of one environment": (
        "  secretResolution:\n    environmentAliases: {live: [main]}\n    keyOverrides: [{sourceKey: A, overrideKeys: {live: B, main: C}}]\n",
        CANDIDATE,
        {},
        ["override_ambiguous services.yaml:8: 'A' has two keys for 'live': under 'live' and 'main'; keep one"],
    ),
    "an override of itself": (
        "  secretResolution: {keyOverrides: [{sourceKey: A, overrideKeys: {live: A}}]}\n",
        CANDIDATE,
        {},
        ["override_invalid services.yaml:6: the other key is 'A' again; name another one"],
    ),
    "an unknown placeholder": (
        "  secretResolution: {patterns: [{sourcePrefix: A, environments: [live], overrideTemplate: '{key}_{name}'}]}\n",
        CANDIDATE,
        {},
        ["override_invalid services.yaml:6: '{name}' is no placeholder; there are {key}, {suffix}, {env}, {env_upper}"],
    ),
    "a pattern that makes no key": (
        "  vars: {a: {config: A_KEY, default: x}}\n  secretResolution: {patterns: [{sourcePrefix: A, environments: [live], overrideTemplate: '{key}_{env}'}]}\n",
        CANDIDATE,
        {},
        ["override_invalid services.yaml:7: for 'A_KEY' in 'live': 'A_KEY_live' is no configuration key; a key has capital letters, digits and _ only, at most 128, and starts with a letter"],
    ),
    "a hook of the stack in a unit's phase": (
        "  images: {jobs: {type: external, from: a}}\n  orchestration: {hooks: [{name: h, phase: beforeUnit, image: jobs, command: [a]}]}\n",
        CANDIDATE,
        {},
        ["hook_phase services.yaml:7: a hook of the whole stack cannot run in 'beforeUnit'; its phases are beforeDeploy, afterInfrastructure, afterDeploy, beforeDelete"],
    ),
    "a hook of a unit in the stack's phase": (
        "  images: {jobs: {type: external, from: a}}\n" + ONE % "hooks: [{name: h, phase: afterDeploy, image: jobs, command: [a]}]",
        CANDIDATE,
        {},
        ["hook_phase services.yaml:7: a hook of the unit 'api' cannot run in 'afterDeploy'; its phases are beforeUnit, afterUnit, beforeDelete"],
    ),
    "a hook with an image that is not declared": (
        ONE % "hooks: [{name: h, phase: afterUnit, image: jobs, command: [a]}]",
        CANDIDATE,
        {},
        ["unknown_image services.yaml:6: no image 'jobs' is declared; declared: none"],
    ),
    "a hook with a reference": (
        ONE % "hooks: [{name: h, phase: afterUnit, image: 'postgres:17', command: [a]}]",
        CANDIDATE,
        {},
        ["hook_image services.yaml:6: a hook names an image of spec.images, and 'postgres:17' is no name; declare the image there"],
    ),
    "a hook with an image that is switched off": (
        "  images: {jobs: {type: external, from: a, when: false}}\n" + ONE % "hooks: [{name: h, phase: afterUnit, image: jobs, command: [a]}]",
        CANDIDATE,
        {},
        ["image_disabled services.yaml:7: the hook 'h' runs the image 'jobs', which is switched off here"],
    ),
    "a hook that takes too long": (
        "  images: {jobs: {type: external, from: a}}\n" + ONE % "hooks: [{name: h, phase: afterUnit, image: jobs, command: [a], timeout: 61m}]",
        CANDIDATE,
        {},
        ["timeout_range services.yaml:7: a hook may take at most 1h, not 61m; shorten it, or split the work"],
    ),
    "a hook with an unknown secret": (
        "  images: {jobs: {type: external, from: a}}\n" + ONE % "hooks: [{name: h, phase: afterUnit, image: jobs, command: [a], secretEnv: {A: {secret: s, key: A}}}]",
        CANDIDATE,
        {},
        ["unknown_secret services.yaml:7: no secret 's' is declared; declared: none"],
    ),
    "nothing wrong": (
        "  images: {jobs: {type: external, from: a}}\n  components: [{name: fast, defaults: {hooks: [{name: h, phase: afterUnit, image: jobs, command: [a], timeout: 1h}]}}]\n"
        + ONE % "use: [fast], codeUpdateStrategy: restart, sync: {paths: [src], container: a, mountPath: /usr/src/app}",
        CANDIDATE,
        {},
        [],
    ),
}  # fmt: skip

BUILD = "  images: {api: {type: build, context: services/api%s}}\n"
FILES = {"services/api/Dockerfile": "FROM python:3.12\n", "services/api/main.py": "x"}
IMAGES: dict[str, tuple[str, dict[str, str], dict[str, Any], list[str]]] = {
    "a context outside": (
        "  images: {api: {type: build, context: ../api}}\n",
        FILES,
        {},
        ["image_context services.yaml:6: '../api' leads out of the repository; name a directory inside of it"],
    ),
    "a context that is not there": (
        "  images: {api: {type: build, context: services/web}}\n",
        FILES,
        {},
        ["image_context services.yaml:6: 'services/web' does not exist; paths start at the root of the repository"],
    ),
    "a context that is a file": (
        "  images: {api: {type: build, context: services/api/main.py}}\n",
        FILES,
        {},
        ["image_context services.yaml:6: 'services/api/main.py' is no directory; the context is the directory that the builder sees"],
    ),
    "no Dockerfile": (
        BUILD % "",
        {"services/api/main.py": "x"},
        {},
        ["image_dockerfile services.yaml:6: 'services/api/Dockerfile' is no file that git tracks in the repository; add it, or name another one with dockerfile"],
    ),
    "a Dockerfile without FROM": (
        BUILD % "",
        {"services/api/Dockerfile": "RUN true\n"},
        {},
        ["image_dockerfile services/api/Dockerfile:1: the Dockerfile cannot be used: it has no FROM; a build starts from an image, or from scratch"],
    ),
    "a text that never ends": (
        BUILD % "",
        {"services/api/Dockerfile": "FROM a\nRUN <<END\necho\n"},
        {},
        ["image_dockerfile services/api/Dockerfile:2: the Dockerfile cannot be used: the text that starts with <<END never ends"],
    ),
    "an unknown stage": (
        BUILD % ", target: run",
        {"services/api/Dockerfile": "FROM a AS build\nFROM build\n"},
        {},
        ["image_dockerfile services.yaml:6: 'services/api/Dockerfile' has no stage 'run'; its stages: build"],
    ),
    "a wrong pattern": (
        BUILD % "",
        {**FILES, "services/api/.dockerignore": "a\nb[\n"},
        {},
        ["image_context services/api/.dockerignore:2: the file cannot be used: a [ is not closed; write \\[ for the character"],
    ),
    "a secret as argument": (
        BUILD % ", args: {NPM_TOKEN: x}",
        FILES,
        {},
        ["image_arg_secret services.yaml:6: the argument 'NPM_TOKEN' looks like a secret, and arguments stay in the image; use buildSecrets"],
    ),
    "an unknown platform": (
        BUILD % ", platforms: [windows/amd64]",
        FILES,
        {},
        ["image_platform services.yaml:6: 'windows/amd64' is no platform that can be built; there are linux/386, linux/amd64, linux/arm/v6, linux/arm/v7, linux/arm64, linux/ppc64le, linux/riscv64, linux/s390x"],
    ),
    "a platform twice": (
        BUILD % ", platforms: [linux/arm64, linux/arm64]",
        FILES,
        {},
        ["image_platform services.yaml:6: the platform 'linux/arm64' stands here twice; keep one"],
    ),
    "no platform": (
        BUILD % ", platforms: []",
        FILES,
        {},
        ["image_platform services.yaml:6: platforms is empty; name one, or remove the field to build for linux/amd64"],
    ),
    "a tag that moves": (
        BUILD % ", aliases: [latest]",
        FILES,
        {},
        ["bad_value services.yaml:6: 'latest' cannot be a tag: letters, digits, '_', '.' and '-', at most 128, not latest, and not starting with c-, which identities have"],
    ),
    "a mounted secret that is not declared": (
        BUILD % ", buildSecrets: [{id: a, secret: s, key: K}]",
        FILES,
        {},
        ["unknown_secret services.yaml:6: no secret 's' is declared; declared: none"],
    ),
    "a base that only the builder knows": (
        BUILD % "",
        {"services/api/Dockerfile": "ARG V\nFROM python:$V\n"},
        {},
        ["image_base_unresolved services/api/Dockerfile:2: what 'python:$V' is cannot be read here, so the image is built anew each week; write the base out, or give its ARG a default"],
    ),
    "a base whose digest is not known": (
        BUILD % "",
        FILES,
        {"digests": Digests({})},
        ["image_digest_unresolved services/api/Dockerfile:1: the digest of the base 'python:3.12' is not known now; plan with a server"],
    ),
    "an external image whose digest is not known": (
        "  images: {api: {type: external, from: 'a:1'}}\n",
        FILES,
        {"digests": Digests({})},
        ["image_digest_unresolved services.yaml:6: the digest of 'a:1' is not known now; write it with @sha256:…, or plan with a server"],
    ),
    "no reference": (
        "  images: {api: {type: external, from: 'A b'}}\n",
        FILES,
        {},
        ["bad_value services.yaml:6: 'A b' is no reference of an image; write it like postgres:17 or with @sha256:…"],
    ),
    "nothing wrong": (BUILD % ", args: {MODE: x}, platforms: [linux/arm64], aliases: ['1.2']", FILES, {}, []),
}  # fmt: skip
