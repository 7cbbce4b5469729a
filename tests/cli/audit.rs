//! `audit`: what people should look after.

mod health;
