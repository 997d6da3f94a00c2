-- Who holds a lease, so that the lease of a process that was killed is free at once and not when its time is over.
alter table provider_leases add column holder bigint not null default 0;
