"""The claim registry: one row for each element of the 31 patent claims, in our own words.

Actions, properties, handlers and tests cite the ids; the texts here are the only paraphrase.

Ids: a lettered element is "1(a)"; a claim without letters is its bare number, "2". A suffix after
a dot names one part of an element that says several things:

- ".preamble": what a claim's opening words already say,
- ".modify", ".receipt", ".status", ".undo": the behaviours inside 7(b), 12(b) and 13(a),
- ".send", ".defer": the behaviours inside 26(b) and 31(a),
- ".record": what claim 23 says before its letters,
- "3.<parameter>": each parameter of claim 3 (there is no bare "3"), and "3.combinations".

Where an element holds a program and what that program does, the plain id ("7(b)") is the program,
which is not behaviour, and the suffixed rows are what it does.
"""

from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True)
class Claim:
    """One citable row: an element of a claim, or a design note.

    Attributes:
        id: what others cite, such as "1(b)" or "7(b).undo".
        text: a paraphrase in the project's words, one sentence of at most 160 characters; a row
            that is not behaviour also gives the reason here.
        behaviour: whether an action, property or handler can show it.
        stands_for: the artefact that stands for a row that is not behaviour; else empty.
        left_out: what of a row that is behaviour no spec shows, and why; empty: nothing.
    """

    id: str
    text: str
    behaviour: bool = True
    stands_for: str = ""
    left_out: str = ""


class UnknownClaim(KeyError):  # noqa: N818  (`except UnknownClaim` is the sentence)
    """No row has the cited id; the message names the id and the ids that come close."""

    def __str__(self) -> str:
        """Return the message as written (a plain KeyError would show its repr)."""
        return str(self.args[0])


_CLOCKS = "clocks that differ: the sender and the members count the same ticks"
_MISSES = "single misses: the second node has one deadline, the threshold times the time-out"

CLAIMS: tuple[Claim, ...] = (
    # Claims 1-6: the group change, as a method.
    Claim("1.preamble", "A cluster changes a communication parameter while it keeps running."),
    Claim("1(a)", "The initiator opens a change by sending a request to the members."),
    Claim("1(b)", "Each node itself confirms that every member has received the request."),
    Claim("1(c)", "Once it has confirmed full receipt, each node applies the change locally."),
    Claim("1(d)", "Each node sends out the status of its own apply."),
    Claim("1(e)", "Each node itself notices when the status of any member is a failure."),
    Claim("1(f)", "On a failure anywhere, each node that has applied undoes its own apply."),
    Claim("2", "The parameter that a group change modifies may be a heartbeat parameter."),
    Claim(
        "3.heartbeat_message_timeout",
        "A change may set how long the second node waits for a heartbeat before it counts a miss.",
        left_out=_MISSES,
    ),
    Claim(
        "3.heartbeat_ack_timeout",
        "A change may set how long the first node waits for an ack before it counts a miss.",
    ),
    Claim("3.heartbeat_interval", "A change may set how often the first node sends a heartbeat."),
    Claim(
        "3.heartbeat_failure_threshold",
        "A change may set how many misses in a row make the second node suspect the first.",
        left_out=_MISSES,
    ),
    Claim(
        "3.heartbeat_ack_failure_threshold",
        "A change may set how many missed acks in a row make the first node suspect the second.",
    ),
    Claim(
        "3.receive_send_timer_ratio",
        "A change may set how many times longer the receive timer runs than the send timer.",
        left_out=_MISSES,
    ),
    Claim(
        "3.maximum_fragment_size",
        "A change may set how large a fragment of a message may be.",
    ),
    Claim(
        "3.message_retry_timer",
        "A change may set how long a node waits before it sends an unacked message again.",
        left_out=_CLOCKS,
    ),
    Claim(
        "3.maximum_message_retry_time",
        "A change may set for how long a node retries a message before it gives up.",
        left_out=_CLOCKS,
    ),
    Claim(
        "3.send_queue_overflow_threshold",
        "A change may set how much a send queue may hold before it overflows.",
    ),
    Claim(
        "3.message_send_window",
        "A change may set how many unacked messages a node may have in flight.",
    ),
    Claim(
        "3.combinations",
        "A change may set several of these parameters as one.",
        left_out="limits and heartbeat values in one model: no constraint ties the two together",
    ),
    Claim("4", "Each node confirms full receipt by taking part in the ack round of the request."),
    Claim("5", "Each node sends its status in the status round, an ack round after its apply."),
    Claim("6", "The request, the acks and the statuses are all multicast."),
    # Claims 7-11: the group change, as an apparatus (a node).
    Claim(
        "7(a)",
        "A node has a memory, which holds what the node knows and does nothing itself.",
        behaviour=False,
        stands_for="the journal and the node's state",
    ),
    Claim(
        "7(b)",
        "A resident program runs the node; being resident is a place, what it does follows.",
        behaviour=False,
        stands_for="a daemon (not written yet)",
    ),
    Claim("7(b).modify", "The node changes its own communication parameter while it runs."),
    Claim("7(b).receipt", "The node itself confirms that every member has received the request."),
    Claim("7(b).status", "The node itself confirms the status of every member's apply."),
    Claim("7(b).undo", "The node undoes its own apply when the status of any member is a failure."),
    Claim("8", "The node itself confirms that the opening request has reached every member."),
    Claim("9", "The node confirms full receipt by taking part in the ack round of the request."),
    Claim("10", "The node sends out the status of its own apply."),
    Claim("11", "The node sends its status in the status round, after its apply."),
    # Claim 12: the group change, as a system (a cluster).
    Claim(
        "12(a)",
        "A network couples the nodes; it carries messages and takes no step of the protocol.",
        behaviour=False,
        stands_for="the model's set of messages and the daemon's network driver",
    ),
    Claim(
        "12(b)",
        "Every node has a program of its own; having one is a deployment, what it does follows.",
        behaviour=False,
        stands_for="a daemon on each node (not written yet)",
    ),
    Claim("12(b).modify", "Every node changes its own communication parameter while it runs."),
    Claim("12(b).receipt", "Every node itself confirms that every member has the request."),
    Claim("12(b).status", "Every node itself confirms the status of every member's apply."),
    Claim("12(b).undo", "Every node undoes its own apply when any member's status is a failure."),
    # Claims 13-18: the group change, as a program product.
    Claim(
        "13(a)",
        "The product contains a program; that is packaging, and what the program does follows.",
        behaviour=False,
        stands_for="the package samebeat inside the distributed wheel file",
    ),
    Claim("13(a).modify", "The program changes its node's communication parameter at run time."),
    Claim("13(a).receipt", "The program confirms for its node that all members have the request."),
    Claim("13(a).status", "The program confirms for its node the status of every member's apply."),
    Claim("13(a).undo", "The program undoes its node's apply when any status is a failure."),
    Claim(
        "13(b)",
        "A medium carries the program; it is a thing that is shipped, not a step that is taken.",
        behaviour=False,
        stands_for="the distributed wheel file",
    ),
    Claim(
        "14",
        "The medium transmits the program or stores it; both are ways of shipping, not steps.",
        behaviour=False,
        stands_for="the distributed wheel file, downloaded or on disk",
    ),
    Claim("15", "The program itself confirms that the opening request has reached every member."),
    Claim(
        "16", "The program confirms full receipt by taking part in the ack round of the request."
    ),
    Claim("17", "The program sends out the status of its node's apply."),
    Claim("18", "The program sends its node's status in the status round, after the apply."),
    # Claims 19-25: heartbeat deferral, as a method.
    Claim("19.preamble", "The first node sends heartbeats, and the second acks those it receives."),
    Claim("19(a)", "The first node announces the change of a heartbeat parameter in a heartbeat."),
    Claim("19(b)", "The first node keeps its value until an ack says that the second modified."),
    Claim("20", "The first node decides whether its change needs the second node in step at all."),
    Claim("21", "A global parameter needs the second node in step; a local one does not."),
    Claim("22", "The second node acks the heartbeat and says in the ack whether it has modified."),
    Claim(
        "23.record", "Heartbeats and acks go by way of a record with a change request indicator."
    ),
    Claim("23(a)", "The first node sets the indicator before its heartbeat asks for the change."),
    Claim(
        "23(b)",
        "Before it acks, the second node sets the indicator if it modified, else clears it.",
    ),
    Claim("24", "The first node modifies only on an ack whose change request indicator is set."),
    Claim("25(a)", "The second node modifies its value."),
    Claim("25(b)", "The first node modifies its value once an ack says that the second has."),
    # Claims 26-30: heartbeat deferral, as an apparatus (the first node).
    Claim(
        "26(a)",
        "The first node has a memory, which holds its values and does nothing itself.",
        behaviour=False,
        stands_for="the journal and the node's state",
    ),
    Claim(
        "26(b)",
        "A resident program runs the first node; that is a place, and what it does follows.",
        behaviour=False,
        stands_for="a daemon (not written yet)",
    ),
    Claim("26(b).send", "The first node tells the second of the change in a heartbeat."),
    Claim("26(b).defer", "The first node defers until an ack says that the second modified."),
    Claim("27", "The first node itself decides whether its change needs the second in step."),
    Claim("28", "The first node decides on that by the parameter's class, local or global."),
    Claim("29", "The first node sets the indicator in its record before the record is sent."),
    Claim("30", "The first node modifies only when the ack comes with its indicator set."),
    # Claim 31: heartbeat deferral, as a program product.
    Claim(
        "31(a)",
        "The product contains a program; that is packaging, and what the program does follows.",
        behaviour=False,
        stands_for="the package samebeat inside the distributed wheel file",
    ),
    Claim("31(a).send", "The program tells the second node of the change in a heartbeat."),
    Claim("31(a).defer", "The program then defers until an ack says that the second modified."),
    Claim(
        "31(b)",
        "A medium carries the program; it is a thing that is shipped, not a step that is taken.",
        behaviour=False,
        stands_for="the distributed wheel file",
    ),
)

# Not from the claims: the points that the claims leave open and our design closes.
DESIGN_NOTES: tuple[Claim, ...] = (
    Claim("C1", "Within the envelope the relaxing side acts at once; the tightening side defers."),
    Claim("C2", "An undo is a change in the other direction and goes through the envelope too."),
    Claim("C3", "A group change of an interval applies at different times, so both parts compose."),
    Claim("C4", "Messages carry the change id; each direction has its own heartbeat record."),
    Claim("C5", "After a crash a flush, numbered by the view, decides; who returns rejoins first."),
    Claim("C6", "Per base epoch at most one change commits; a busied one closes as undone."),
    Claim("C7", "A failed or hung apply is a failed status; a failed undo quarantines the node."),
    Claim("C8", "Without a quorum a node stays in doubt and never decides by time-out."),
)

CLAIM_IDS: frozenset[str] = frozenset(row.id for row in CLAIMS)
CITABLE_IDS: frozenset[str] = CLAIM_IDS | {row.id for row in DESIGN_NOTES}

_ROWS: dict[str, Claim] = {row.id: row for row in CLAIMS + DESIGN_NOTES}


def claim(claim_id: str) -> Claim:
    """Return the row with this id, from the claims or the design notes.

    Raises:
        UnknownClaim: no row has the id. The message names the parts of the claim or element where
            the id is one ("3", "7"), otherwise the ids that are spelt alike.
    """
    row = _ROWS.get(claim_id)
    if row is not None:
        return row
    parts = [known for known in _ROWS if known.startswith((f"{claim_id}(", f"{claim_id}."))]
    close = parts or get_close_matches(claim_id, _ROWS, cutoff=0.5)
    hint = f"; close: {', '.join(close)}" if close else ""
    raise UnknownClaim(f"no claim element or design note {claim_id!r}{hint}")
