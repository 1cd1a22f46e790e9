"""Public holidays by region, as dates."""

import pytest

from services.routing.adapters.public_holidays import UnknownRegion, public_holidays


def test_a_part_of_a_country_has_its_own_days_beside_the_common_ones() -> None:
    assert {"2026-12-25", "2026-05-01"} <= public_holidays("DE") < public_holidays("DE-BY")
    assert "2026-01-06" in public_holidays("DE-BY") - public_holidays("DE")


@pytest.mark.parametrize("region", ["", "de", "QQ", "DE-XX", "Germany", "HolidayBase", "-BY"])
def test_an_unknown_region_is_refused_with_what_there_is(region: str) -> None:
    with pytest.raises(UnknownRegion, match=r"there are|no region|known of"):
        public_holidays(region)
