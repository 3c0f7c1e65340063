//! Whether the settings do what they should: a mail that is sent to see whether mails arrive.

use std::time::Duration;

use mito_database::Tx;
use mito_queue::{Enqueue, JobState, kinds::SendMail};
use serde_json::json;

use crate::{
    Error, FieldError, Record, Records, RequestInfo, SUPERUSERS,
    accounts::{
        mails::Words,
        options::{AuthOptions, EmailTemplate},
    },
    error::FieldErrors,
    fields::accept::is_email,
};

/// How long the mail server may take before the answer no longer waits for it.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two looks at the job.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// The longest address, in characters.
const MAX_EMAIL: usize = 255;
/// What stands for secrets in the mail.
const SAMPLE: &str = "test";

/// A mail to try the settings with.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(default)]
pub struct MailTrial {
    /// To whom.
    pub email: String,
    /// Which one: `verification`, `password-reset`, `email-change`, `otp` or `login-alert`.
    pub template: String,
    /// Of which accounts; empty means administrators.
    pub collection: String,
}

impl Records {
    /// Sends a mail with sample words and waits for what the mail server says of it.
    pub async fn try_mail(&self, trial: MailTrial, info: &RequestInfo) -> Result<(), Error> {
        let options = self.checked_trial(&trial).await?;
        let template = template(&options, &trial.template).ok_or(Error::NotFound)?;
        let mut account = Record::new();
        account.insert("id".to_owned(), json!(SAMPLE));
        account.insert("email".to_owned(), json!(trial.email));
        let rendered = self.render_mail(
            template,
            Words {
                token: SAMPLE,
                otp: "123456",
                otp_id: SAMPLE,
                alert_info: SAMPLE,
                record: Some(&account),
            },
        );
        let job = SendMail {
            to: Some(trial.email),
            name: String::new(),
            subject: rendered.subject,
            html: rendered.html,
            text: rendered.text,
        };
        let (records, request_id) = (self.clone(), info.request_id.clone());
        let enqueue = move |tx: &mut Tx<'_>| {
            let options = Enqueue {
                request_id: request_id.clone(),
                ..Enqueue::default()
            };
            let enqueued = records.inner.queue.enqueue(tx, &job, &options);
            enqueued.map_err(|error| Error::Internal(format!("a mail cannot be enqueued: {error}")))
        };
        let id = self.inner.database.write(enqueue).await?;
        let told = self.outcome(&id);
        tokio::select! {
            told = told => told,
            // It goes on by itself; what becomes of it is shown with the jobs.
            () = self.inner.clock.sleep(PATIENCE) => Ok(()),
        }
    }

    /// Waits until the first try has ended. A mail that failed is not tried again: whoever tries the
    /// settings will do so.
    async fn outcome(&self, id: &str) -> Result<(), Error> {
        loop {
            let job = self.inner.queue.job(id).await;
            let job = job.map_err(|error| Error::Internal(error.to_string()))?;
            match job.summary.state {
                JobState::Completed => return Ok(()),
                JobState::Scheduled | JobState::Available | JobState::Running => {}
                JobState::Retryable | JobState::Discarded | JobState::Cancelled => {
                    let _ = self.inner.queue.cancel(id).await;
                    let reason = job.summary.error.unwrap_or_default();
                    let message = format!("Failed to send the test email. Raw error: \n{reason}");
                    return Err(Error::Invalid(message));
                }
            }
            self.inner.clock.sleep(LOOK_EVERY).await;
        }
    }

    async fn checked_trial(&self, trial: &MailTrial) -> Result<AuthOptions, Error> {
        let mut errors = FieldErrors::new();
        let mut add = |name: &str, error| errors.insert(name.to_owned(), error);
        if trial.email.is_empty() {
            add("email", FieldError::required());
        } else if trial.email.chars().count() > MAX_EMAIL || !is_email(&trial.email) {
            let message = "Must be a valid email address.";
            add("email", FieldError::new("validation_is_email", message));
        }
        if trial.template.is_empty() {
            add("template", FieldError::required());
        } else if template(&AuthOptions::default(), &trial.template).is_none() {
            let message = "Must be a valid value.";
            add(
                "template",
                FieldError::new("validation_in_invalid", message),
            );
        }
        let name = match trial.collection.as_str() {
            "" => SUPERUSERS,
            name => name,
        };
        let collection = match self.collection(name).await {
            Ok(collection) if collection.is_auth() => Some(collection),
            Ok(_) | Err(Error::NotFound) => None,
            Err(error) => return Err(error),
        };
        if collection.is_none() {
            let message = "Must be a valid auth collection id or name.";
            let error = FieldError::new("validation_invalid_auth_collection", message);
            add("collection", error);
        }
        match collection {
            Some(collection) if errors.is_empty() => Ok(AuthOptions::of(&collection)),
            _ => Err(Error::Fields(errors)),
        }
    }

    /// Whether an external object storage answers; which of them is `storage` or `backups`.
    pub fn try_s3(&self, filesystem: &str) -> Result<(), Error> {
        match filesystem {
            "" => Err(Error::field("filesystem", FieldError::required())),
            "storage" | "backups" => Err(Error::Invalid(
                "Failed to test the S3 filesystem. Raw error: \nS3 storage filesystem is not \
                 enabled."
                    .to_owned(),
            )),
            _ => {
                let message = "Must be a valid value.";
                let error = FieldError::new("validation_in_invalid", message);
                Err(Error::field("filesystem", error))
            }
        }
    }
}

fn template<'a>(options: &'a AuthOptions, name: &str) -> Option<&'a EmailTemplate> {
    Some(match name {
        "verification" => &options.verification_template,
        "password-reset" => &options.reset_password_template,
        "email-change" => &options.confirm_email_change_template,
        "otp" => &options.otp.email_template,
        "login-alert" => &options.auth_alert.email_template,
        _ => return None,
    })
}
