-- Most of those that live long are parked, and do not change: an update finds room also in a page that is fuller.
alter table process set (fillfactor = 90);
