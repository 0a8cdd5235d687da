---- MODULE semaphore_2 ----
\* semaphore, instance semaphore-2, exported by samebeat.
\* Spec fingerprint 2a38caff388f734e. Do not edit: change the spec and export again.
\*
\* One lock, taken by whoever is quickest: enough for safety, not for everybody's turn.
\*
\* Not modelled: what is done inside, and any queue.
\*
\* Process: p1, p2
\*
\* Invariants: alone.
\* Step properties: none.
\* Deadlocks: every last state is one.
\* Of infinite runs: somebody_gets_in, everybody_gets_in.
\* If one of them is broken, TLC does not say which; it does not see either where a limit of
\* the model cuts off steps of the system, and samebeat gives no verdict then.
\* Not checked here: none.
\* A step that changes nothing is left out: it adds no state and is no way out of a
\* deadlock. A value outside its bounds is reported; an index or a following(...) past the
\* last element, and a place set to two values in one step, are for the interpreter.
\*
\* java -cp tla2tools.jar tlc2.TLC -config FILE.cfg FILE.tla
\* (add -deadlock, which turns the check off, where deadlocks are not checked)
\* `= TRUE` keeps TLC from taking each way in which a guard holds as a step of its own.

EXTENDS Integers, FiniteSets
CONSTANTS p1, p2

Process == {p1, p2}


VARIABLES
  taken,  \* truth value
  inside   \* Process -> truth value

vars == <<taken, inside>>

\* Nobody is inside.
start ==
  /\ taken = FALSE
  /\ inside = [p \in Process |-> FALSE]

Init ==
  \/ start

\* `p` takes the lock.
enter(p) ==
  \* the lock is free
  /\ ~taken
  /\ taken' = TRUE
  /\ inside' = [inside EXCEPT ![p] = TRUE]

\* `p` gives the lock back.
leave(p) ==
  \* p is inside
  /\ inside[p]
  /\ taken' = FALSE
  /\ inside' = [inside EXCEPT ![p] = FALSE]

Next ==
  \/ \E p \in Process : enter(p)
  \/ \E p \in Process : leave(p)

Spec == Init /\ [][Next]_vars

\* At most one is inside.
alone ==
  \A p \in Process : \A q \in Process : (inside[p] /\ inside[q]) => p = q

fair_somebody_gets_in ==
  /\ \A p \in Process : WF_vars(enter(p))

\* Somebody is inside at some time.
somebody_gets_in ==
  fair_somebody_gets_in => (<>(\E p \in Process : inside[p]))

fair_everybody_gets_in ==
  /\ \A p \in Process : WF_vars(leave(p))
  /\ \A p \in Process : SF_vars(enter(p))

\* Whoever is outside will be inside.
everybody_gets_in ==
  fair_everybody_gets_in => (\A p \in Process : (~inside[p]) ~> (inside[p]))
====
