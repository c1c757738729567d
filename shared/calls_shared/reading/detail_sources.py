"""`DetailSource`: where what there is to a call is found."""

from calls_shared.reading.details_in_record import DetailsInRecord
from calls_shared.reading.details_of_call import DetailsOfCall
from calls_shared.reading.details_of_several import DetailsOfSeveral

DetailSource = DetailsInRecord | DetailsOfCall | DetailsOfSeveral
