-- Which feed this is: a database that was made anew or restored has another one, and readers who hold a position of the old
-- feed are told that it means nothing here, instead of waiting in silence for what will never come (EVT-4).
create table feed (
  only_one boolean primary key default true check (only_one),
  feed_id text not null default left(md5(gen_random_uuid()::text), 8)
);
insert into feed default values;
