"""The shipped order-fulfilment process, and services to run it and the examples against."""
