"""The stories of a day are dealt out over every channel, calls among them."""

from collections import Counter

from services.demo.messengers import CALLS, MISSED, PLAYED, VOICEMAIL, spread
from services.demo.stories import CHANNELS, own_stories


def test_the_own_set_comes_by_every_channel_and_each_story_once():
    stories = own_stories()
    played = spread(stories)
    assert {story.channel for story in played} == {*CHANNELS, *PLAYED}
    assert [story.story_id for story in played] == [story.story_id for story in stories]
    counts = Counter(story.channel for story in played)
    assert max(counts[name] for name in PLAYED) - min(counts[name] for name in PLAYED) <= 1


def test_what_a_caller_says_before_an_answer_is_left_on_the_voicemail_and_some_call_twice():
    own = {story.story_id: story for story in own_stories()}
    calls = [story for story in spread(own_stories()) if story.channel == CALLS]
    missed = [story for story in calls if story.turns[0].text == MISSED]
    assert 0 < len(missed) < len(calls)
    for story in calls:
        said = story.turns[1:] if story in missed else story.turns
        assert said[0].text == VOICEMAIL + own[story.story_id].turns[0].text
        assert [turn.text.removeprefix(VOICEMAIL) for turn in said] == [
            turn.text for turn in own[story.story_id].turns
        ]
