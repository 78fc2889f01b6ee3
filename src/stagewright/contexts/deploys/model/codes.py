"""Every code of a diagnostic: its area, what it says, and whether it is a warning (``stack.md`` section 16)."""

from typing import NamedTuple


class Code(NamedTuple):
    """``says``: what is wrong and what to do, for the reference."""

    area: str
    warning: bool = False
    says: str = ""


WARNINGS = frozenset(
    (
        "ambiguous_scalar",
        "unused_component",
        "unused_image",
        "unused_secret",
        "protected_change_ignored",
        "depends_disabled",
        "sync_ineffective",
        "image_base_unresolved",
        "doc_cut",
    )
)


def _area(area: str, **codes: str) -> dict[str, Code]:
    return {code: Code(area, code in WARNINGS, says) for code, says in codes.items()}


CODES: dict[str, Code] = {
    **_area(
        "file",
        file_missing="A file of the stack does not exist. Create it, or correct its path.",
        file_too_large=(
            "A file has more than 1 MiB, or all files of the stack together more than 16 MiB. Split a large file "
            "with imports; keep data out of manifests."
        ),
        too_many_files="The stack has more than 4,000 files, manifests included. Narrow the patterns.",
        encoding="A file is not UTF-8, or starts with a byte order mark. Save it as UTF-8 without one.",
        yaml_syntax="A file is no YAML. The message says where reading stopped; look at that line and the one above.",
        yaml_duplicate_key="A key stands twice in one map. Remove one of them.",
        yaml_alias_limit=(
            "A file has more than 100 aliases, or grows beyond 50,000 values when they are expanded. Write the "
            "values out."
        ),
        yaml_merge_key="The merge key `<<` is not supported. Write the fields out, or use a component.",
        yaml_tag="A value has a tag. Only `!raw` is known: a text that is never a template.",
        yaml_depth="A file nests deeper than 64 levels. Flatten it.",
        multi_document="A stack file holds more than one document. Put each one into a file of its own and import it.",
        null_value=(
            "A value is null or empty. Give a value, or leave the key out; `$delete: true` removes an imported one."
        ),
        ambiguous_scalar=(
            "A word without quotes (`yes`, `no`, `on`, `off`, `012` …) is text here and something else to other "
            "readers of YAML. Quote it, or write `true` or `false`."
        ),
    ),
    **_area(
        "import",
        import_outside=(
            "An imported path leads out of its repository, by `..`, as an absolute path or through a link. Keep "
            "files inside, or name the `repository` they are in."
        ),
        import_missing="An imported file does not exist. Correct the path, or say `optional: true`.",
        import_empty="A pattern of an import matches no file. Correct it, or say `optional: true`.",
        import_cycle="Files import each other in a circle; the message shows the chain. Take one import out.",
        import_depth="Imports nest deeper than 8 levels. Import the deep files from higher up.",
        import_limit="A stack imports more than 200 files. Put several units into one file.",
        import_kind="An imported file is no `ServiceStackFragment`. Change its `kind`, or do not import it.",
        import_templated=(
            "Imports and repositories take no templates: which files a stack has must not depend on variables. "
            "Write the value out."
        ),
    ),
    **_area(
        "merge",
        merge_conflict=(
            "Two files, none of which imports the other, set the same value differently. Set it in one of them, "
            "or in a file that imports both."
        ),
        merge_type=(
            "A file replaces a value by one of another form, such as a list by a map. Give both the same form, or "
            "write `$replace: true` in the map."
        ),
        merge_marker="A key starts with `$` and is no marker. Only `$replace: true` and `$delete: true` are.",
        merge_delete_missing="`$delete: true` finds nothing to remove. Correct the key, or take the marker out.",
        merge_duplicate="Two items of a list in one file have the same key. Rename or remove one.",
    ),
    **_area(
        "schema",
        api_version="The file is of an unknown version. Write `apiVersion: stagewright.dev/v1alpha1`.",
        kind=(
            "The file is of an unknown kind. Write `kind: ServiceStack`, or `ServiceStackFragment` for a file "
            "that is imported."
        ),
        unknown_field=(
            "A field is not known at this place. The hint names the nearest one; keys of your own begin with `x-`."
        ),
        missing_field="A field is missing that is required here. The place is that of the map which lacks it.",
        wrong_type="A value has another type than its field. Texts that look like numbers need quotes.",
        bad_enum="A value is none of the words that its field allows. The message lists them.",
        bad_value="A value is outside its range, or not in the form of its field.",
        bad_name="A name has letters or a length that are not allowed. The message says how it is written.",
        bad_duration=(
            "A duration is written as days, hours, minutes and seconds in this order, such as `1h30m`, and is "
            "more than 0."
        ),
        bad_quantity="A quantity is written as in Kubernetes: `500m`, `2`, `8Gi`. Fractions need quotes.",
        exclusive_fields="Two fields stand together that exclude each other. Remove one.",
    ),
    **_area(
        "template",
        template_syntax=(
            "A template cannot be read. Only expressions in `{{ }}` are known: no statements `{% %}`, no comments "
            "`{# #}`."
        ),
        template_unquoted=(
            "A text that starts with `{{` has no quotes, so YAML takes it for a map. Put the whole text in quotes."
        ),
        template_forbidden=(
            "A template uses what templates may not: other calls, arithmetic, slices, names with `_` in front."
        ),
        template_undefined=(
            "A template reads a name that does not exist here. The message lists those that do; `default` reads a "
            "name that may be absent."
        ),
        template_type="A filter or an operator got a value of another type. Convert it with `int`, `string` or `bool`.",
        template_limit=(
            "An expression is too long, or the stack renders too much: 1,024 characters and 100 nodes per "
            "expression, 64 KiB per result, 20,000 results per plan."
        ),
        template_secret=(
            "A variable names a configuration entry that is a secret. Declare it under `secrets` instead; "
            "templates never read secrets."
        ),
        var_unresolved=(
            "A variable has no value for this environment. Set a `default`, a value for the environment or the "
            "configuration entry, or say `required: false`."
        ),
        var_pattern="The value of a variable does not match its `pattern`. Correct one of them.",
    ),
    **_area(
        "names",
        duplicate_name="Two units have the same name. Names are unique over services and infrastructure; rename one.",
        unknown_environment="An environment is named that is not declared. Declare it, or correct the name.",
        unknown_component="A component is named that is not declared. Declare it, or correct the name.",
        unknown_image="An image is named that is not declared. Declare it under `images`, or correct the name.",
        unknown_secret=(
            "A secret, or a key of one, is named that is not declared. Declare it under `secrets`, or correct the name."
        ),
        unknown_unit="A unit is named that does not exist. Correct the name.",
        unknown_group="A group is not in `orchestration.deployOrder`. Add it there, or correct the name.",
        unknown_repository=(
            "A repository is named that the stack does not have. Declare its alias under `repositories` and "
            "register it in the project."
        ),
        unknown_role="A role is named that the workflow policy does not have. Correct the name.",
        unknown_kind="A kind of run is named that the workflow policy does not have. Correct the name.",
        unused_component="A component is used by no service. Use it, or remove it.",
        unused_image="An image is used by no manifest, hook or sync. Use it, or remove it.",
        unused_secret="A secret is used by no manifest or hook. Use it, or remove it.",
    ),
    **_area(
        "environment",
        env_cycle="Environments inherit from each other in a circle. Take one `from` out.",
        env_depth="Environments inherit more than 8 levels deep. Inherit from one higher up.",
        env_kind="An environment has no kind, of its own or inherited. Set `kind`.",
        env_kind_twice=(
            "Two environments are of kind production, or two of kind candidate. Give one of them another kind."
        ),
        namespace_invalid=(
            "A rendered namespace is no DNS label of at most 63 characters. Change `namespaceTemplate`; "
            "`dns_label` shortens a text."
        ),
        namespace_reserved="A namespace is reserved for the cluster or the platform. Choose another.",
        namespace_not_unique=(
            "The namespace of the candidate environment does not read `candidate.key`, so all candidates would "
            "share it. Put it into the template."
        ),
        namespace_collision="Two environments have the same namespace. Change one template.",
        domain_invalid="A rendered domain is no lower-case host. Write it without scheme, port and path.",
        domain_outside=(
            "The domain of a candidate lies outside the platform's candidate domain. Build it from "
            "`platform.candidateDomain`."
        ),
        domain_collision="Two environments have the same domain. Change one template.",
        version_not_bumpable="A version with `bumpOn` has no digit that could be raised. Give it a number.",
        quota_ceiling="A quota is above the project's ceiling. Lower it, or ask for a higher ceiling.",
        egress_refused=(
            "A candidate environment may not reach this network: it is private or link-local. Name public "
            "networks only."
        ),
        protected_change_ignored=(
            "The candidate changes a part of the stack that is taken from the default branch. It takes effect "
            "after the merge."
        ),
    ),
    **_area(
        "runtime, graph",
        mode_not_allowed="The policy does not allow this mode for this kind of run. Choose another one.",
        ttl_order="An environment would be deleted before it sleeps. Make `delete` at least as long as `sleep`.",
        ttl_range="A life is shorter than 5 minutes or longer than 14 days.",
        depends_cycle="Units depend on each other in a circle; the message shows it. Take one dependency out.",
        depends_unreachable="A unit depends on one that is deployed later. Move one of them to another group.",
        depends_disabled="A unit depends on one that is switched off here. The dependency counts as satisfied.",
        when_not_bool="`when` is neither true nor false. Write a comparison, such as `{{ env.kind == 'candidate' }}`.",
    ),
    **_area(
        "unit",
        no_manifests="A service has no manifest. Give it at least one.",
        manifest_missing="A manifest does not exist, or its pattern matches no file. Correct the path.",
        manifest_outside="The path of a manifest leads out of its repository. Keep it inside.",
        manifest_syntax="A manifest cannot be read. The message says where.",
        configmap_size="A ConfigMap has more than 900 KiB. Split it, or put the files into an image.",
        sync_required="`restart` and `hot-reload` need to know what to copy. Add `sync`, or use `rebuild`.",
        sync_ineffective=(
            "A strategy other than `rebuild` has an effect in candidate environments only, and the stack has none."
        ),
        sync_path=(
            "A path of `sync` does not exist, leads out of the repository, or would cover the root or a system "
            "directory of the container."
        ),
        expose_public=(
            "Candidates are open to signed-in people only. Remove `public` and `publicPaths`, or switch on the "
            "project's setting `public_slots`."
        ),
        hook_phase=(
            "A hook has a phase that does not belong to its place. Hooks of units run beforeUnit, afterUnit and "
            "beforeDelete; those of the stack at the others and beforeDelete."
        ),
        hook_image="A hook runs an image that is unknown or switched off here. Declare it, or switch the hook off too.",
        timeout_range="A timeout is longer than its field allows. Shorten it.",
    ),
    **_area(
        "object",
        object_identity=(
            "An object lacks `apiVersion`, `kind` or `metadata.name`, or has `generateName`. Give it a fixed name."
        ),
        object_duplicate="Two manifests make the same object. Remove one.",
        object_foreign_namespace=(
            "An object names another namespace than the environment's. Leave `metadata.namespace` out."
        ),
        object_cluster_scoped=(
            "An object would not live in the namespace. Candidates take none; elsewhere the project's setting "
            "`cluster_kinds` must name its kind."
        ),
        object_kind="Objects of this kind are refused. The message names what to use instead.",
        object_reserved_label=(
            "Labels and annotations with the prefix `stagewright.dev/` are the platform's. Remove it."
        ),
        object_image_unpinned=(
            "A container names its image itself. Declare it under `images` and write `{{ images.<name> }}`."
        ),
        object_secret_unknown="An object reads a Secret that is not declared. Declare it under `secrets`.",
        object_pod_security=(
            "A pod asks for more than the namespace's Pod Security level allows. The message names the field and "
            "its value."
        ),
        object_rbac="A Role or RoleBinding grants too much. Name resources and verbs, and bind local accounts only.",
        object_host="An Ingress has a host outside the environment's domain. Use `{{ domain }}` or a sub-host.",
        object_replicas="A candidate runs too many replicas. Lower them with a template on `env.kind`.",
        object_plain_secret="A ConfigMap holds what looks like a secret. Declare it under `secrets`.",
        object_schema="The cluster does not know a field of the object. Correct or remove it.",
        object_limit="The plan has more than 4,000 objects. Split the stack.",
    ),
    **_area(
        "image",
        image_fields="An image has a field of the other type. Remove the field, or change `type`.",
        image_disabled="An image is used that is switched off here. Change its `when`, or that of its user.",
        image_context="The context of a build is no directory of the repository. Correct the path.",
        image_dockerfile="The Dockerfile of a build does not exist or cannot be read. Correct `dockerfile`.",
        image_digest_unresolved=(
            "Nobody can say which digest a tag has. Offline this makes the plan a preview; otherwise correct the "
            "reference, or name the digest."
        ),
        image_base_unresolved=(
            "A `FROM` line cannot be read without building, so the image is built anew each week. Write the "
            "reference out."
        ),
        image_arg_secret="A build argument looks like a secret; it would stay in the image. Use `buildSecrets`.",
        image_platform="A platform is not written as `os/arch`, such as `linux/amd64`.",
    ),
    **_area(
        "secret",
        secret_source=(
            "A key of a secret has no source or several. Give exactly one of `generate`, `from`, `copy` and `compose`."
        ),
        secret_unresolved=(
            "No value is found for a secret; the message lists every place that was tried. Set the configuration entry."
        ),
        secret_audience=(
            "A configuration entry may not enter an environment of this kind. Widen its audience, or name another "
            "entry for this environment."
        ),
        secret_copy_refused=(
            "A secret may not be copied: into a candidate without `shareable: true`, or from a candidate into "
            "production."
        ),
        secret_copy_cycle="Secrets are copied from each other in a circle. Give one of them a source of its own.",
        secret_key_name=(
            "The key of a secret has letters that Kubernetes does not allow. Use letters, digits, `.`, `_` and `-`."
        ),
        secret_compose="A composed secret reads a key that is unknown, or that reads it in turn. Correct the name.",
        override_invalid=(
            "A key that a pattern makes is no configuration key, or the key it was made from. Change "
            "`overrideTemplate`."
        ),
        override_ambiguous="Two entries of `keyOverrides` are for the same key. Merge them.",
        alias_conflict="An alias of an environment is used twice, or is an environment's name. Rename it.",
        value_undecryptable="A stored value cannot be read. Set it anew.",
    ),
    **_area(
        "docs, repositories",
        doc_missing="A document for agents does not exist. Correct the path, or say `optional: true`.",
        doc_outside="The path of a document leads out of its repository. Keep it inside.",
        doc_repository_required=(
            "The stack has several repositories, so a document must say which one it is in. Add `repository`."
        ),
        doc_cut=(
            "There are more documents than fit into a prompt. What is left out is named; lower the `priority` "
            "numbers of the important ones."
        ),
        repository_unavailable=(
            "A repository cannot be read. A required one stops the plan; otherwise what it holds is left out."
        ),
        repository_ref="A branch, tag or commit does not exist in its repository. Correct `ref`.",
        root_ambiguous="More than one repository could hold the root file. Give one of them the role orchestrator.",
    ),
    **_area(
        "plan",
        project_mismatch="The stack is written for another project. Correct `spec.project` or `metadata.name`.",
        plan_too_large="The plan has more than 16 MiB. Split the stack.",
        too_many="There are more than 200 findings. Mend those that are shown first.",
    ),
}
