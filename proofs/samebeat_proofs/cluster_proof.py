"""The proof of the hardened group change: any number of members, quorums, changes, views, crashes.

The ballots are Paxos' ballots: a report is a promise, a flush votes as the reports determine, and
quorums meet.
"""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

from samebeat_proofs import (
    cluster_invariants,
    cluster_invariants_settled,
    cluster_invariants_values,
    cluster_invariants_votes,
)
from samebeat_proofs.cluster_invariants import (
    everyone_is_everyone,
    mechanisms_are_on,
    quorums_meet,
)
from samebeat_proofs.facts import Fact, Proof, Role, promised
from samebeat_spec.language import Spec
from samebeat_spec.specs import load_spec

RLIMIT = 40_000_000
"""What an obligation may cost: some need several times what is usual."""

_REPORTED = (
    "order of View",
    "fact journal_before_send",
    "fact forgetful_is_out",
    "fact silent_report_means_no_vote",
    "guard n is alive",
)
HINTS = {
    "commit_vote_is_reported.propose": (
        "axiom mechanisms_are_on",
        "fact vote_in_a_view_that_has_begun",
        "fact commit_vote_is_reported",
        "guard v is a new view id",
    ),
    "reports_exclude_undo.propose": (
        *_REPORTED,
        "axiom mechanisms_are_on",
        "fact commit_vote_excludes_undo",
        "guard v is a new view id",
    ),
    "reports_exclude_commit.propose": (
        *_REPORTED,
        "fact votes_of_a_view_agree",
        "fact undo_vote_excludes_commit",
        "guard v is a new view id",
    ),
    "reports_exclude_undo.report": (
        *_REPORTED,
        "axiom mechanisms_are_on",
        "fact commit_vote_excludes_undo",
    ),
    "reports_exclude_commit.report": (
        *_REPORTED,
        "fact votes_of_a_view_agree",
        "fact undo_vote_excludes_commit",
    ),
    "vote_stays.vote_in_flush": (
        "order of View",
        "one value of view",
        "axiom mechanisms_are_on",
        "fact commit_vote_is_reported",
        "fact undo_vote_is_reported",
        "guard n has not gone on to a later view",
        "guard c is open in the reports to n's view",
        "guard choice 1",
    ),
}
"""For some obligations, what is enough: from all that may be assumed the search is long."""


def _only(facts: tuple[Fact, ...], **only: tuple[str, ...]) -> tuple[Fact, ...]:
    """Return facts, some of which assume no others than these."""
    return tuple(replace(f, only=only.get(f.name, f.only)) for f in facts)


def _facts(module: ModuleType, role: Role) -> tuple[Fact, ...]:
    """Return the strengthening facts of one role that a module records."""
    return tuple(x for x in vars(module).values() if isinstance(x, Fact) and x.role is role)


def _implied(spec: Spec) -> tuple[Fact, ...]:
    """What follows from the inductive facts."""
    return _only(
        promised(
            spec,
            Role.IMPLIED,
            commit_needs_all_ok=("committed_was_chosen",),
            failure_excludes_commit=("committed_was_chosen", "chosen_is_not_barred"),
            agreement=("committed_is_not_barred", "undone_was_barred"),
            one_deciding_view=("chosen_is_not_barred",),
            one_commit_per_base_epoch=(),
            busy_needs_rival=("busy_needs_two",),
            undo_restores_pre_image=(
                "epoch_has_commit",
                "value_at_the_start",
                "value_of_last_commit",
            ),
            kept_until_replaced=("epoch_has_commit", "value_at_the_start", "value_of_last_commit"),
            all_or_nothing=("held_from_last_commit",),
        ),
        all_or_nothing=(
            "nobody_is_further_than_settled",
            "one_commit_per_base_epoch",
            "held_from_last_commit",
        ),
        agreement=("committed_is_not_barred",),
        one_deciding_view=("chosen_is_not_barred",),
        one_commit_per_base_epoch=(
            "commit_needs_all_ok",
            "acked_two_commits_one",
            "acted_means_acked",
        ),
    )


def _steps(spec: Spec) -> tuple[Fact, ...]:
    """What is promised of each step."""
    return _only(
        promised(
            spec,
            Role.STEP,
            quarantine_excluded=(),
            decision_stable=("undone_was_not_chosen",),
            epoch_monotone=(),
            view_monotone=(),
        ),
        decision_stable=("agreement", "unrequested_is_unknown"),
    )


def cluster_proof() -> Proof:
    """Return the proof."""
    spec = load_spec("cluster")
    inductive = promised(
        spec,
        Role.INDUCTIVE,
        one_open_change=(),
        apply_after_full_receipt=(),
        journal_before_send=("chosen_is_not_barred",),
        no_foreign_message=(),
        status_once=(),
        rejoin_before_active=(),
        value_known=("epoch_has_commit",),
    )
    own = (
        *_facts(cluster_invariants, Role.INDUCTIVE),
        *_facts(cluster_invariants_votes, Role.INDUCTIVE),
        *_facts(cluster_invariants_values, Role.INDUCTIVE),
        *_facts(cluster_invariants_settled, Role.INDUCTIVE),
        *_facts(cluster_invariants_votes, Role.IMPLIED),
        *_facts(cluster_invariants_settled, Role.IMPLIED),
    )
    return Proof(
        spec,
        (
            *inductive,
            *own,
            *_implied(spec),
            *_facts(cluster_invariants_votes, Role.STEP),
            *_steps(spec),
        ),
        axioms=(quorums_meet, everyone_is_everyone, mechanisms_are_on),
        relational=("view",),
        rlimit=RLIMIT,
        hints=HINTS,
    )
