"""What another was told is taken in: of the run one was made from, or in another process."""

from dataclasses import replace

from trefoil.data.given import given
from trefoil.data.privacy import FORGOTTEN
from trefoil.fusion.changing import Changing
from trefoil.fusion.personal import Writes, forget
from trefoil.fusion.replay import GONE, people_of, replayed


def follow(recommender: Changing, other: Changing, write: Writes) -> int:
    """See ``Recommender.follow``; ``write`` writes all files of the run into a folder."""
    given("other", other, Changing, "give a Recommender of the same run")
    mine, theirs = recommender.log, other.log
    if mine is None or theirs is None or mine.lineage != theirs.lineage:
        return 0
    with recommender.changing:
        journal = recommender.journal()
        later = list(theirs.rows(recommender.state.number))
        known = journal.known(one.event[0] for one in later if one.event[0] is not None)
        later = [one for one in later if one.event[0] not in known]
        state = replayed(recommender.state, later)
        journal.take(later)  # by the same numbers: by them both tell what they have heard
        recommender.become(state)
        recommender.left_out = recommender.left_out.joined(other.left_out)
        if recommender.left_out.digests and journal.folder is not None:
            recommender.left_out.write(journal.folder / FORGOTTEN)
        there = people_of(recommender.state)
    for person in sorted(one for one in there if one in other.left_out):
        forget(recommender, write, person, None, heard=True)
    return len(later)


def abreast(recommender: Changing, other: Changing) -> None:
    """Count as heard what ``other`` was told and this one could not do, or had no use for."""
    mine, theirs = recommender.log, other.log
    if mine is None or theirs is None or mine.lineage != theirs.lineage:
        return
    with recommender.changing:
        journal = recommender.journal()
        while (number := recommender.state.number) < other.state.number:
            number = journal.append(GONE)  # of nobody who is known here
            recommender.become(replace(recommender.state, number=number))


def read_on(recommender: Changing, until: int) -> bool:
    """Take in what another process wrote into the log of the run, up to that change.

    False where a person was forgotten: the run is another one, which has to be loaded.
    """
    with recommender.changing:
        state = recommender.state
        rows = () if recommender.log is None else recommender.log.rows(state.number)
        later = [one for one in rows if one.seq <= until]
        if any(one.what == GONE for one in later):
            return False
        recommender.become(replayed(state, later))
        return True
