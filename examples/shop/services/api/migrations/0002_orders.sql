create table orders (
    id bigint generated always as identity primary key,
    email text not null,
    ordered_at timestamptz not null default now(),
    confirmed_at timestamptz
);
