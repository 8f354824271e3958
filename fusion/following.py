"""A run that was made from another takes in what that one was told meanwhile."""

from dataclasses import replace

from trefoil.data.privacy import FORGOTTEN
from trefoil.fusion.changing import Changing
from trefoil.fusion.live.log import EVENT
from trefoil.fusion.personal import Writes, forget
from trefoil.fusion.replay import GONE, people_of, replayed


def follow(recommender: Changing, other: Changing, write: Writes) -> int:
    """See ``Recommender.follow``; ``write`` writes all files of the run into a folder."""
    mine, theirs = recommender.log, other.log
    if mine is None or theirs is None or mine.lineage != theirs.lineage:
        return 0
    with recommender.changing:
        journal = recommender.journal()
        later = list(theirs.rows(recommender.state.number))
        for change in later:
            if change.what == EVENT:
                journal.append(EVENT, [change.event])
            elif change.what != GONE:  # whom that was about is forgotten here below
                journal.append(change.what, body=change.body)
        state = replayed(recommender.state, later)
        if later:
            recommender.become(replace(state, number=journal.last()))
        recommender.left_out = recommender.left_out.joined(other.left_out)
        if recommender.left_out.digests and journal.folder is not None:
            recommender.left_out.write(journal.folder / FORGOTTEN)
        there = people_of(recommender.state)
    for person in sorted(one for one in there if one in other.left_out):
        forget(recommender, write, person, None)
    return len(later)
